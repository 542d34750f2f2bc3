"""Seller profiles in memory: everybody is approved and in Maharashtra unless said otherwise."""

from services.contracts.sellers import Profile


class FakeSellers:
    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.suspended: set[str] = set()

    async def profiles(self, seller_ids: list[str]) -> dict[str, Profile]:
        return {
            seller_id: Profile(
                seller_id=seller_id,
                name="Shop",
                status="suspended" if seller_id in self.suspended else "approved",
                state=self.states.get(seller_id, "Maharashtra"),
            )
            for seller_id in seller_ids
        }
