from collections.abc import Callable

from services.auth import models
from services.auth.models import User
from services.auth.repository import AuthRepository
from services.contracts.auth import Address, AddressIn, AddressPatch
from services.kit.errors import Conflict, NotFound
from services.kit.ids import Ids, named_id
from services.kit.principal import Principal

_TRIES = 5


class Addresses:
    """Where a buyer has things sent; they live in the account's document, so that one of them is always the default."""

    def __init__(self, repository: AuthRepository, ids: Ids) -> None:
        self._repository = repository
        self._ids = ids

    async def mine(self, who: Principal) -> list[Address]:
        """The default first, then the oldest first."""
        addresses = (await self._user(who)).addresses
        return sorted(addresses, key=lambda address: not address.is_default)

    async def get(self, who: Principal, address_id: str) -> Address:
        return models.find((await self._user(who)).addresses, address_id)

    async def add(self, who: Principal, wanted: AddressIn, key: str | None) -> Address:
        address_id = named_id("adr", who.user_id, key) if key else self._ids.new("adr")
        new = models.complete(wanted, address_id)

        def with_new(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
            known = any(address.address_id == address_id for address in addresses)
            return addresses if known else models.added(addresses, new)

        return models.find(await self._change(who, with_new), address_id)

    async def update(self, who: Principal, address_id: str, patch: AddressPatch) -> Address:
        after = await self._change(who, lambda addresses: models.changed(addresses, address_id, patch))
        return models.find(after, address_id)

    async def delete(self, who: Principal, address_id: str) -> None:
        await self._change(who, lambda addresses: models.without(addresses, address_id))

    async def _change(
        self, who: Principal, change: Callable[[tuple[Address, ...]], tuple[Address, ...]]
    ) -> tuple[Address, ...]:
        """Apply to the account as it is now; again when somebody else was quicker."""
        for _ in range(_TRIES):
            user = await self._user(who)
            after = change(user.addresses)
            if after == user.addresses or await self._repository.save_addresses(user, after):
                return after
        raise Conflict("the addresses are being changed from elsewhere; try again")

    async def _user(self, who: Principal) -> User:
        user = await self._repository.find_user(who.user_id)
        if user is None:
            raise NotFound.of("account")
        return user
