"""Who sells here."""

from collections.abc import Sequence

from services.contracts.auth import AuthPort
from services.contracts.sellers import Profile, ProfilePatch
from services.kit.errors import Forbidden, NotFound
from services.kit.ids import user_id_of_seller
from services.kit.principal import SYSTEM, Principal
from services.sellers.repository import ProfileRepository


def shop_of(who: Principal) -> str:
    """The caller's seller id. Raises Forbidden."""
    if who.seller_id is None:
        raise Forbidden("this is for accounts with the role seller")
    return who.seller_id


class Profiles:
    """A profile is made by `user.created`, or by the first question about it if that comes earlier."""

    def __init__(self, repository: ProfileRepository, auth: AuthPort, *, auto_approve: bool) -> None:
        self._repository = repository
        self._auth = auth
        self._auto_approve = auto_approve

    async def of(self, who: Principal) -> Profile:
        seller_id = shop_of(who)
        found = (await self.many([seller_id])).get(seller_id)
        if found is None:
            raise NotFound.of("seller")
        return found

    async def many(self, seller_ids: Sequence[str]) -> dict[str, Profile]:
        wanted = list(dict.fromkeys(seller_ids))
        found = await self._repository.find(wanted)
        missing = [seller_id for seller_id in wanted if seller_id not in found]
        if not missing:
            return found
        for seller_id in missing:
            await self.welcome(seller_id)
        return found | await self._repository.find(missing)

    async def welcome(self, seller_id: str | None) -> None:
        """Make the profile of a new account; nothing for buyers and for accounts that are gone."""
        if seller_id is None:
            return
        try:
            contact = await self._auth.contact(SYSTEM, user_id_of_seller(seller_id))
        except NotFound:
            return
        status = "approved" if self._auto_approve else "pending"
        await self._repository.add(Profile(seller_id=seller_id, name=contact.name, status=status))

    async def update(self, who: Principal, patch: ProfilePatch) -> Profile:
        profile = await self.of(who)
        fields = patch.model_dump(exclude_none=True)
        if fields:
            await self._repository.change(profile.seller_id, fields)
        return await self.of(who)

    async def backfill(self, profiles: Sequence[Profile]) -> int:
        return await self._repository.add_missing(profiles)
