"""Addresses of accounts, in memory."""

from services.contracts.auth import Address
from services.kit.errors import NotFound
from services.kit.principal import Principal


class FakeAddresses:
    def __init__(self) -> None:
        self._by_user: dict[str, list[Address]] = {}

    def give(self, who: Principal, address_id: str = "adr_1", *, default: bool = True, **changes) -> Address:
        """Store an address, in place of the one with the same id."""
        address = Address(
            address_id=address_id,
            name="Asha Rao",
            phone="+919800000001",
            street="12 MG Road",
            city="Pune",
            state="Maharashtra",
            country="IN",
            zip_code="411001",
            is_default=default,
        ).model_copy(update=changes)
        others = [a for a in self._by_user.get(who.user_id, []) if a.address_id != address_id]
        self._by_user[who.user_id] = [*others, address]
        return address

    async def addresses(self, who: Principal) -> list[Address]:
        return self._by_user.get(who.user_id, [])

    async def address(self, who: Principal, address_id: str) -> Address:
        for address in self._by_user.get(who.user_id, []):
            if address.address_id == address_id:
                return address
        raise NotFound.of("address")
