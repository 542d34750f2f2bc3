"""Sellers, buyers and the administrator."""

from datetime import datetime, timedelta
from random import Random

from api.demo.model import DemoAddress, DemoAdmin, DemoBuyer, DemoSeller
from api.demo.seeds import Seed
from api.demo.words import People

MAIL_DOMAIN = "demo.cohort.example"
BUYERS = 200
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def admin(seed: Seed, now: datetime) -> DemoAdmin:
    return DemoAdmin(seed.id("usr", "admin"), "Demo Administrator", f"admin@{MAIL_DOMAIN}", now - timedelta(days=1500))


def sellers(seed: Seed, words: People, now: datetime) -> tuple[DemoSeller, ...]:
    states = {city.city: city.state for city in words.cities}
    made = []
    for number, entry in enumerate(words.sellers, start=1):
        draw, user = seed.random("seller", number), seed.hex("seller", number)
        state = states[entry.city]
        made.append(
            DemoSeller(
                seller_id=f"sel_{user}",
                user_id=f"usr_{user}",
                name=_name(draw, words),
                shop_name=entry.shop,
                email=f"seller{number}@{MAIL_DOMAIN}",
                phone=f"+9190000{20000 + number}",
                city=entry.city,
                state=state,
                gstin=gstin(words.state_codes[state], draw),
                created_at=_ago(now, draw, 1000, 1400),
            )
        )
    return tuple(made)


def buyers(seed: Seed, words: People, now: datetime) -> tuple[DemoBuyer, ...]:
    made = []
    for number in range(1, BUYERS + 1):
        draw = seed.random("buyer", number)
        name, phone = _name(draw, words), f"+9190000{10000 + number}"
        address = _address(seed.id("adr", number), name, phone, words, draw)
        created_at = _ago(now, draw, 190, 900)
        made.append(
            DemoBuyer(seed.id("usr", "buyer", number), name, f"buyer{number}@{MAIL_DOMAIN}", phone, address, created_at)
        )
    return tuple(made)


def gstin(state_code: str, draw: Random) -> str:
    """A tax number of the right form: state, PAN of a firm, entity, Z, check character."""
    letters = "".join(draw.choices(_BASE36[10:], k=3)) + "F" + draw.choice(_BASE36[10:])
    body = f"{state_code}{letters}{draw.randrange(10000):04d}{draw.choice(_BASE36[10:])}1Z"
    return body + gstin_check(body)


def gstin_check(body: str) -> str:
    """The fifteenth character for the first fourteen."""
    total = 0
    for position, character in enumerate(body):
        product = _BASE36.index(character) * (1 + position % 2)
        total += product // 36 + product % 36
    return _BASE36[-total % 36]


def _address(address_id: str, name: str, phone: str, words: People, draw: Random) -> DemoAddress:
    city = draw.choices(words.cities, [city.weight for city in words.cities])[0]
    area, zip_code = draw.choice(list(city.areas.items()))
    home = f"{draw.randint(1, 48)}{draw.choice('ABCD')}, {draw.choice(words.buildings)}"
    street = f"{home}, {draw.choice(words.streets)}, {area}"
    return DemoAddress(address_id, name, phone, street, city.city, city.state, "IN", zip_code)


def _name(draw: Random, words: People) -> str:
    return f"{draw.choice(words.first_names)} {draw.choice(words.last_names)}"


def _ago(now: datetime, draw: Random, least: int, most: int) -> datetime:
    return now - timedelta(days=draw.randint(least, most), minutes=draw.randint(0, 1439))
