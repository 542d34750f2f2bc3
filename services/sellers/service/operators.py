"""What operators do with sellers."""

from typing import Literal, get_args

from services.contracts.catalog import CatalogPort
from services.contracts.sellers import Profile, SellerStatus
from services.kit.errors import Forbidden, NotFound
from services.kit.principal import Principal
from services.kit.wire import Page
from services.sellers.models.cursors import cursor_of, numbered_position
from services.sellers.repository import ProfileRepository
from services.sellers.repository.profiles import SHARDS


class Operators:
    def __init__(self, profiles: ProfileRepository, catalog: CatalogPort) -> None:
        self._profiles = profiles
        self._catalog = catalog

    async def page(self, who: Principal, status: SellerStatus | None, limit: int, cursor: str | None) -> Page[Profile]:
        _only_operators(who)
        statuses = (status,) if status else get_args(SellerStatus)
        shard, after = numbered_position(cursor)
        items: list[Profile] = []
        while shard < SHARDS:
            for profile in await self._profiles.shelved(statuses, shard):
                if profile.seller_id <= after:
                    continue
                if len(items) == limit:
                    return Page(items=items, next_cursor=cursor_of(str(shard), after))
                items.append(profile)
                after = profile.seller_id
            shard, after = shard + 1, ""
        return Page(items=items)

    async def set_status(self, who: Principal, seller_id: str, status: Literal["approved", "suspended"]) -> Profile:
        """The catalogue is told each time, so that a repeat makes up for one that was cut off in between."""
        _only_operators(who)
        if not await self._profiles.set_status(seller_id, status):
            raise NotFound.of("seller")
        await self._catalog.refresh_seller(seller_id)
        return (await self._profiles.find([seller_id]))[seller_id]


def _only_operators(who: Principal) -> None:
    if not who.is_admin:
        raise Forbidden("this is for operators")
