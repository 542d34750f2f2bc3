"""Carts in memory, for services that only read one."""

import asyncio
from datetime import datetime

from services.contracts.cart import CartItem, CartView, CouponRefused, CouponTerms
from services.kit.ids import named_id
from services.kit.money import inr
from services.kit.principal import Principal
from tests.fakes.catalog import FakeCatalog


class FakeCart:
    def __init__(self, catalog: FakeCatalog) -> None:
        self._catalog = catalog
        self._contents: dict[str, dict[str, int]] = {}
        self._versions: dict[str, int] = {}
        self.terms: dict[str, CouponTerms] = {}
        self.redeemed: dict[str, str] = {}

    def put(self, who: Principal, **quantities: int) -> None:
        """The cart holds exactly this from now on."""
        self._contents[who.user_id] = quantities
        self._versions[who.user_id] = self._versions.get(who.user_id, 0) + 1

    async def get(self, who: Principal) -> CartView:
        await asyncio.sleep(0)
        items = tuple(self._item(variant_id, qty) for variant_id, qty in self._contents.get(who.user_id, {}).items())
        return CartView(
            cart_id=named_id("crt", who.user_id),
            version=self._versions.get(who.user_id, 0),
            items=items,
            coupon_terms=self.terms.get(who.user_id),
            total=inr(sum(item.line_total.amount for item in items)),
        )

    async def redeem(self, user_id: str, code: str, order_id: str) -> None:
        await asyncio.sleep(0)
        if self.redeemed.setdefault(f"{code}:{user_id}", order_id) != order_id:
            raise CouponRefused("used", details={"reason": "used"})

    async def release_coupon(self, order_id: str) -> None:
        await asyncio.sleep(0)
        self.redeemed = {key: other for key, other in self.redeemed.items() if other != order_id}

    async def redemptions_before(self, moment: datetime) -> list[str]:
        return []

    def _item(self, variant_id: str, qty: int) -> CartItem:
        now = self._catalog.shelves[variant_id].priced()
        return CartItem(
            item_id=f"itm_{variant_id}",
            product_id=now.product_id,
            variant_id=variant_id,
            seller_id=now.seller_id,
            title=now.title,
            qty=qty,
            price=now.price,
            line_total=now.price * qty,
            available=now.available,
        )
