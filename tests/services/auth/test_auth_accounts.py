import asyncio

import pytest

from services.auth.adapters.passwords import PasswordHashing
from services.auth.service import SignInLimits
from services.contracts.auth import BadCredentials, Device, EmailTaken, Login, ProfilePatch, SeedUser
from services.kit.cache import TokenBucket
from services.kit.errors import Forbidden, Invalid, NotFound, RateLimited
from services.kit.ids import seller_id_of
from services.kit.principal import SYSTEM, Principal
from tests.conftest import START
from tests.services.auth.conftest import LAPTOP, PASSWORD, Auth


async def test_a_new_account_may_act_at_once_and_its_event_is_written_with_it(auth: Auth):
    done = await auth.register()
    who = auth.who(done)
    assert done.user.roles == ("customer",)
    assert (who.user_id, who.name, who.roles) == (done.user.user_id, "Asha Rao", frozenset({"customer"}))
    assert done.expires_in == 900
    assert await auth.events() == [
        ("user.created", {"userId": done.user.user_id, "roles": ["customer"], "sellerId": None})
    ]


async def test_a_seller_is_a_customer_too_and_the_event_names_the_seller(auth: Auth):
    done = await auth.register(role="SELLER")
    assert done.user.roles == ("customer", "seller")
    [(_, data)] = await auth.events()
    assert data["sellerId"] == seller_id_of(done.user.user_id) == auth.who(done).seller_id


async def test_an_e_mail_is_taken_in_any_spelling(auth: Auth):
    await auth.register("asha@example.com")
    with pytest.raises(EmailTaken) as refused:
        await auth.register("ASHA@Example.com")
    assert refused.value.field == "email"
    assert len(await auth.events()) == 1
    assert len(await auth.sessions()) == 1


async def test_of_ten_simultaneous_registrations_of_one_e_mail_one_wins(auth: Auth):
    outcomes = await asyncio.gather(*(auth.register() for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(o, EmailTaken) for o in outcomes) == 9
    assert len(await auth.events()) == 1


async def test_login_works_with_any_spelling_and_keeps_device_and_address(auth: Auth):
    await auth.register()
    done = await auth.service.login(Login(email="Asha@EXAMPLE.com", password=PASSWORD), LAPTOP)
    session = next(s for s in await auth.sessions() if s["_id"] == auth.who(done).session_id)
    assert session["device"] == {"ip": "203.0.113.7", "user_agent": "Firefox"}


async def test_unknown_e_mail_and_wrong_password_get_the_same_answer(auth: Auth):
    await auth.register()
    problems = []
    for email in ("asha@example.com", "nobody@example.com"):
        with pytest.raises(BadCredentials) as refused:
            await auth.service.login(Login(email=email, password="wrong"), LAPTOP)
        problems.append(refused.value.problem())
    assert problems[0] == problems[1]


async def test_an_unknown_account_costs_a_whole_hash():
    hashing = PasswordHashing(time_cost=1, memory_kib=1024)
    hashed = await hashing.hash("secret word")
    assert await hashing.matches(hashed, "secret word")
    assert not await hashing.matches(None, "no account has this password")


async def test_the_default_hash_is_argon2id_at_the_floor_or_above():
    assert (await PasswordHashing().hash("secret word")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_hash_with_old_parameters_is_renewed_at_login(auth: Auth):
    done = await auth.register()
    users = auth.outbox.database["users"]
    old = await PasswordHashing(time_cost=2, memory_kib=16).hash(PASSWORD)
    await users.update_one({"_id": done.user.user_id}, {"$set": {"password_hash": old}})
    await auth.service.login(Login(email="asha@example.com", password=PASSWORD), LAPTOP)
    row = await users.find_one({"_id": done.user.user_id})
    assert "m=8,t=1,p=1" in row["password_hash"]
    await auth.service.login(Login(email="asha@example.com", password=PASSWORD), LAPTOP)


async def test_the_password_is_nowhere_in_the_database(auth: Auth):
    await auth.register()
    assert PASSWORD not in str(await auth.outbox.database["users"].find({}).to_list(None))


async def test_a_changed_name_is_told_without_personal_data(auth: Auth):
    who = auth.who(await auth.register())
    assert (await auth.service.update_me(who, ProfilePatch(name="Asha <b>R</b>"))).name == "Asha R"
    assert (await auth.service.me(who)).name == "Asha R"
    assert ("user.updated", {"userId": who.user_id, "roles": ["customer"], "deleted": False}) in await auth.events()


async def test_contacts_are_for_the_marketplace_only(auth: Auth):
    who = auth.who(await auth.register())
    contact = await auth.service.contact(SYSTEM, who.user_id)
    assert (contact.name, contact.email, contact.phone) == ("Asha Rao", "asha@example.com", None)
    with pytest.raises(Forbidden):
        await auth.service.contact(who, who.user_id)
    with pytest.raises(Forbidden):
        await auth.service.contact(Principal(user_id="usr_x", roles=frozenset({"admin"})), who.user_id)
    with pytest.raises(NotFound):
        await auth.service.contact(SYSTEM, "usr_nobody")


async def test_guesses_on_one_account_are_slowed_down_from_any_address(make_auth, redis, clock):
    bucket = TokenBucket(redis, per_second=0.1, burst=3, name=f"account-{id(redis)}")
    auth: Auth = await make_auth(login_limits=SignInLimits(per_account=bucket))
    for number in range(3):
        with pytest.raises(BadCredentials):
            await auth.service.login(Login(email="a@example.com", password="x"), Device(ip=f"203.0.113.{number}"))
    with pytest.raises(RateLimited) as limited:
        await auth.service.login(Login(email="A@example.com", password="x"), Device(ip="203.0.113.9"))
    assert limited.value.retry_after


async def test_registrations_from_one_address_are_limited_but_loopback_may_be_exempt(make_auth, redis, clock):
    bucket = TokenBucket(redis, per_second=0.1, burst=1, name=f"ip-{id(redis)}")
    auth: Auth = await make_auth(register_limits=SignInLimits(per_ip=bucket, exempt_loopback=True))
    await auth.register("a@example.com")
    with pytest.raises(RateLimited):
        await auth.register("b@example.com")
    for letter in "cde":
        command = Login(email=f"{letter}@example.com", password=PASSWORD)
        with pytest.raises(BadCredentials):
            await auth.service.login(command, Device(ip="127.0.0.1"))


async def test_an_administrator_is_made_once_and_with_a_proper_e_mail(auth: Auth):
    admin = await auth.service.create_admin("root@example.com", PASSWORD, "Root")
    assert set(admin.roles) == {"customer", "admin"}
    done = await auth.service.login(Login(email="root@example.com", password=PASSWORD), LAPTOP)
    assert auth.who(done).is_admin
    with pytest.raises(EmailTaken):
        await auth.service.create_admin("root@example.com", PASSWORD, "Root")
    with pytest.raises(Invalid) as invalid:
        await auth.service.create_admin("root", PASSWORD, "Root")
    assert invalid.value.field == "email"


async def test_demo_accounts_are_kept_once_and_can_log_in(auth: Auth):
    taken = await auth.register("demo3@example.com")
    users = [
        SeedUser(
            user_id=f"usr_{n:032x}",
            name=f"Demo {n}",
            email=f"demo{n}@example.com",
            roles=("customer",),
            created_at=START,
        )
        for n in range(5)
    ]
    assert await auth.service.backfill(users, PASSWORD) == 4
    assert await auth.service.backfill(users, PASSWORD) == 0
    done = await auth.service.login(Login(email="demo2@example.com", password=PASSWORD), LAPTOP)
    assert done.user.user_id == users[2].user_id
    assert (await auth.service.me(auth.who(taken))).user_id == taken.user.user_id
    assert len(await auth.events()) == 1
