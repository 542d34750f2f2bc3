import asyncio
from typing import Any

import pytest

from services.auth.models import MAX_ADDRESSES
from services.contracts.auth import AddressIn, AddressPatch, TooManyAddresses
from services.kit.errors import Invalid, NotFound
from services.kit.principal import SYSTEM, Principal
from tests.services.auth.conftest import Auth

HOME = {
    "name": "Asha Rao",
    "phone": "98765 43210",
    "street": "12, Lake View Road",
    "city": "Bengaluru",
    "state": "Karnataka",
    "zipCode": "560001",
}


def address(**change: Any) -> AddressIn:
    return AddressIn.model_validate({**HOME, **change})


@pytest.fixture
async def who(auth: Auth) -> Principal:
    return auth.who(await auth.register())


async def defaults(auth: Auth, who: Principal) -> list[str]:
    return [a.name for a in await auth.service.addresses(who) if a.is_default]


async def test_the_first_address_is_the_default_and_a_bare_number_is_indian(auth: Auth, who: Principal):
    kept = await auth.service.add_address(who, address())
    assert kept.is_default
    assert kept.phone == "+919876543210"
    assert await auth.service.address(who, kept.address_id) == kept
    assert (await auth.service.contact(SYSTEM, who.user_id)).phone == "+919876543210"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phone": "12345"}, "phone"),
        ({"phone": "not a phone"}, "phone"),
        ({"phone": "+91 11111 11111"}, "phone"),
        ({"zipCode": "56001"}, "zipCode"),
        ({"zipCode": "056001"}, "zipCode"),
        ({"zipCode": "ABCDEF"}, "zipCode"),
        ({"zipCode": "९६००००"}, "zipCode"),
        ({"zipCode": "<b>10001", "country": "US", "phone": "+12125550123"}, "zipCode"),
    ],
)
async def test_a_bad_field_is_named(auth: Auth, who: Principal, change: dict[str, Any], field: str):
    with pytest.raises(Invalid) as invalid:
        await auth.service.add_address(who, address(**change))
    assert invalid.value.field == field
    assert await auth.service.addresses(who) == []


async def test_pincode_is_another_name_for_the_zip_code(auth: Auth, who: Principal):
    wanted = AddressIn.model_validate({**{k: v for k, v in HOME.items() if k != "zipCode"}, "pincode": "560 001"})
    assert (await auth.service.add_address(who, wanted)).zip_code == "560001"


async def test_a_foreign_address_keeps_its_own_forms(auth: Auth, who: Principal):
    kept = await auth.service.add_address(who, address(country="GB", zipCode="SW1A 1AA", phone="020 7946 0018"))
    assert (kept.zip_code, kept.phone) == ("SW1A 1AA", "+442079460018")


async def test_markup_never_enters_an_address(auth: Auth, who: Principal):
    kept = await auth.service.add_address(who, address(street="12 <script>alert(1)</script>Main"))
    assert kept.street == "12 Main"


async def test_a_new_default_takes_over(auth: Auth, who: Principal):
    await auth.service.add_address(who, address(name="first"))
    await auth.service.add_address(who, address(name="second"))
    assert await defaults(auth, who) == ["first"]
    third = await auth.service.add_address(who, address(name="third", isDefault=True))
    assert await defaults(auth, who) == ["third"]
    assert [a.name for a in await auth.service.addresses(who)] == ["third", "first", "second"]
    with pytest.raises(Invalid, match="always the default"):
        await auth.service.update_address(who, third.address_id, AddressPatch(is_default=False))


async def test_when_the_default_goes_the_oldest_remaining_takes_over(auth: Auth, who: Principal):
    kept = [await auth.service.add_address(who, address(name=name)) for name in ("first", "second", "third")]
    await auth.service.delete_address(who, kept[0].address_id)
    assert await defaults(auth, who) == ["second"]
    await auth.service.delete_address(who, kept[2].address_id)
    assert await defaults(auth, who) == ["second"]
    await auth.service.delete_address(who, kept[1].address_id)
    assert await auth.service.addresses(who) == []


async def test_a_change_is_checked_as_a_whole(auth: Auth, who: Principal):
    kept = await auth.service.add_address(who, address())
    moved = await auth.service.update_address(who, kept.address_id, AddressPatch(city="Mysuru", zip_code="570001"))
    assert (moved.city, moved.zip_code, moved.street) == ("Mysuru", "570001", kept.street)
    with pytest.raises(Invalid) as invalid:
        await auth.service.update_address(who, kept.address_id, AddressPatch(zip_code="SW1A 1AA"))
    assert invalid.value.field == "zipCode"


async def test_simultaneous_additions_are_all_kept_with_one_default(auth: Auth, who: Principal):
    names = ("a", "b", "c")
    await asyncio.gather(*(auth.service.add_address(who, address(name=name, isDefault=True)) for name in names))
    assert {a.name for a in await auth.service.addresses(who)} == set(names)
    assert len(await defaults(auth, who)) == 1


async def test_the_same_key_adds_an_address_once(auth: Auth, who: Principal):
    adding = (auth.service.add_address(who, address(), key="consent-1") for _ in range(3))
    kept = await asyncio.gather(*adding)
    assert len({a.address_id for a in kept}) == 1
    await auth.service.add_address(who, address(), key="consent-2")
    assert len(await auth.service.addresses(who)) == 2


async def test_an_address_of_somebody_else_is_not_there(auth: Auth, who: Principal):
    kept = await auth.service.add_address(who, address())
    other = auth.who(await auth.register("other@example.com"))
    for call in (
        auth.service.address(other, kept.address_id),
        auth.service.update_address(other, kept.address_id, AddressPatch(city="X")),
        auth.service.delete_address(other, kept.address_id),
        auth.service.address(other, "adr_unknown"),
    ):
        with pytest.raises(NotFound, match="no such address"):
            await call
    assert await auth.service.address(who, kept.address_id) == kept


async def test_an_account_keeps_a_bounded_number_of_addresses(auth: Auth, who: Principal):
    for number in range(MAX_ADDRESSES):
        await auth.service.add_address(who, address(name=str(number)))
    with pytest.raises(TooManyAddresses):
        await auth.service.add_address(who, address())
