"""The cart and its rules. Pure: every change gives a new cart, `version` is raised by whoever stores it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.contracts.cart import (
    MAX_LINES,
    MAX_QTY,
    AmbiguousItem,
    CartFull,
    CartItem,
    CartView,
    CouponTerms,
    Notice,
    QtyInvalid,
)
from services.contracts.catalog import OutOfStock, PricedLine, ProductGone
from services.contracts.events import OrderLineFact
from services.kit.errors import NotFound
from services.kit.ids import named_id
from services.kit.money import inr

KEYS_KEPT = 100
ORDERS_KEPT = 50


def cart_id_of(owner: str) -> str:
    """A user or guest has one cart, for good."""
    return named_id("crt", owner)


@dataclass(frozen=True)
class Line:
    """What is wanted. `price` (paise) and the words are as last seen; `since` is the version that brought the line."""

    item_id: str
    product_id: str
    variant_id: str
    seller_id: str
    title: str
    options: Mapping[str, str]
    image: str | None
    qty: int
    price: int
    since: int

    def seen_as(self, now: PricedLine | None) -> "Line":
        if now is None:
            return self
        return replace(
            self,
            product_id=now.product_id,
            seller_id=now.seller_id,
            title=now.title,
            options=now.options,
            image=now.image,
            price=now.price.amount,
        )


@dataclass(frozen=True)
class Cart:
    """`applied` are the last keys whose effect is in here; `ordered` says what an order took, None once it ended."""

    cart_id: str
    owner: str
    version: int = 0
    lines: tuple[Line, ...] = ()
    applied: tuple[str, ...] = ()
    ordered: Mapping[str, tuple[Line, ...] | None] | None = None
    coupon: str | None = None

    @classmethod
    def empty(cls, owner: str) -> "Cart":
        return cls(cart_id=cart_id_of(owner), owner=owner)

    @property
    def variant_ids(self) -> list[str]:
        return [line.variant_id for line in self.lines]

    def has_applied(self, key: str | None) -> bool:
        return key is not None and key in self.applied

    def applying(self, key: str | None) -> "Cart":
        return self if key is None else replace(self, applied=(*self.applied, key)[-KEYS_KEPT:])

    def of_variant(self, variant_id: str) -> Line | None:
        return next((line for line in self.lines if line.variant_id == variant_id), None)

    def find(self, item_ref: str) -> Line:
        """By itemId, variantId, or productId. Raises NotFound, AmbiguousItem."""
        found = [line for line in self.lines if item_ref in {line.item_id, line.variant_id}]
        found = found or [line for line in self.lines if line.product_id == item_ref]
        if not found:
            raise NotFound.of("cart item")
        if len(found) > 1:
            items = [{"itemId": line.item_id, "options": dict(line.options), "qty": line.qty} for line in found]
            raise AmbiguousItem("this product is in several lines; name one by its itemId", details={"items": items})
        return found[0]

    def adding(self, wanted: PricedLine, qty: int) -> "Cart":
        """Raises ProductGone, OutOfStock, QtyInvalid, CartFull."""
        present = self.of_variant(wanted.variant_id)
        total = qty + (present.qty if present else 0)
        require_sellable(wanted, total)
        if present:
            return self.with_qty(present.item_id, total)
        if len(self.lines) >= MAX_LINES:
            raise CartFull(f"a cart holds at most {MAX_LINES} different items; remove one first")
        return replace(self, lines=(*self.lines, self._new_line(wanted, total)))

    def _new_line(self, wanted: PricedLine, qty: int) -> Line:
        return Line(
            item_id=named_id("itm", self.cart_id, wanted.variant_id),
            product_id=wanted.product_id,
            variant_id=wanted.variant_id,
            seller_id=wanted.seller_id,
            title=wanted.title,
            options=wanted.options,
            image=wanted.image,
            qty=qty,
            price=wanted.price.amount,
            since=self.version + 1,
        )

    def with_qty(self, item_id: str, qty: int) -> "Cart":
        """A quantity of 0 or less takes the line out."""
        changed = (replace(line, qty=qty) if line.item_id == item_id else line for line in self.lines)
        return replace(self, lines=tuple(line for line in changed if line.qty > 0))

    def cleared(self) -> "Cart":
        return replace(self, lines=(), coupon=None)

    def with_coupon(self, code: str | None) -> "Cart":
        return replace(self, coupon=code)

    def seen_at(self, prices: Mapping[str, PricedLine]) -> "Cart":
        return replace(self, lines=tuple(line.seen_as(prices.get(line.variant_id)) for line in self.lines))

    def gaining(self, lines: Sequence[Line]) -> tuple["Cart", tuple[Line, ...]]:
        """This cart with those lines too, and the lines for which there was no room."""
        cart, left = self, []
        for line in lines:
            present = cart.of_variant(line.variant_id)
            if present:
                cart = cart.with_qty(present.item_id, min(MAX_QTY, present.qty + line.qty))
            elif len(cart.lines) < MAX_LINES:
                mine = replace(line, item_id=named_id("itm", self.cart_id, line.variant_id), since=self.version + 1)
                cart = replace(cart, lines=(*cart.lines, mine))
            else:
                left.append(line)
        return cart, tuple(left)

    def ordering(
        self, order_id: str, at_version: int, facts: Sequence[OrderLineFact], coupon: str | None = None
    ) -> "Cart":
        """Without what the order took from `at_version`; lines that came later are not touched."""
        if order_id in (self.ordered or {}):
            return self
        taken: list[Line] = []
        cart = self.with_coupon(None) if coupon == self.coupon else self
        for fact in facts:
            line = cart.of_variant(fact.variant_id)
            if line is not None and line.since <= at_version:
                taken.append(replace(line, qty=min(line.qty, fact.qty)))
                cart = cart.with_qty(line.item_id, line.qty - fact.qty)
        return cart.remembering(order_id, tuple(taken))

    def regaining(self, order_id: str, coupon: str | None = None) -> "Cart":
        """With what the order took, given back once; an order that ends before it took anything never will."""
        taken = (self.ordered or {}).get(order_id)
        cart, _ = self.gaining(taken or ())
        cart = cart.with_coupon(coupon) if taken and cart.coupon is None else cart
        return cart.remembering(order_id, None)

    def remembering(self, order_id: str, taken: tuple[Line, ...] | None) -> "Cart":
        others = [(key, lines) for key, lines in (self.ordered or {}).items() if key != order_id]
        return replace(self, ordered=dict([*others, (order_id, taken)][-ORDERS_KEPT:]))

    def view(
        self,
        prices: Mapping[str, PricedLine],
        notices: Sequence[Notice] = (),
        terms: CouponTerms | None = None,
    ) -> CartView:
        items = tuple(_item(line, prices.get(line.variant_id)) for line in self.lines)
        buyable = self.buyable(prices)
        discount = sum(terms.discounts(buyable)) if terms else 0
        return CartView(
            cart_id=self.cart_id,
            version=self.version,
            items=items,
            total=inr(sum(amount for _, amount in buyable) - discount),
            coupon=self.coupon,
            coupon_terms=terms,
            discount=inr(discount),
            notices=tuple(notices),
        )

    def buyable(self, prices: Mapping[str, PricedLine]) -> list[tuple[str, int]]:
        """Seller and paise of each line that can be bought as it stands."""
        items = [_item(line, prices.get(line.variant_id)) for line in self.lines]
        return [(item.seller_id, item.line_total.amount) for item in items if item.available >= item.qty]

    def notices(self, prices: Mapping[str, PricedLine]) -> tuple[Notice, ...]:
        """What is different now from what was last seen."""
        return tuple(notice for line in self.lines for notice in _notices(line, prices.get(line.variant_id)))


def require_sellable(wanted: PricedLine, qty: int) -> None:
    """Raises ProductGone, OutOfStock, QtyInvalid."""
    if not wanted.active:
        raise ProductGone(
            f"{wanted.title} is no longer sold",
            details={"productId": wanted.product_id, "variantId": wanted.variant_id, "title": wanted.title},
        )
    if qty > MAX_QTY:
        raise QtyInvalid(f"at most {MAX_QTY} of one item can be bought at once", field="qty")
    if qty > wanted.available:
        raise OutOfStock(
            f"only {wanted.available} of {wanted.title} left" if wanted.available else f"{wanted.title} is sold out",
            field="qty",
            details={"variantId": wanted.variant_id, "title": wanted.title, "available": wanted.available},
        )


def _item(line: Line, now: PricedLine | None) -> CartItem:
    seen = line.seen_as(now)
    return CartItem(
        item_id=seen.item_id,
        product_id=seen.product_id,
        variant_id=seen.variant_id,
        seller_id=seen.seller_id,
        title=seen.title,
        options=dict(seen.options),
        image=seen.image,
        qty=seen.qty,
        price=inr(seen.price),
        line_total=inr(seen.price * seen.qty),
        available=now.available if now and now.active else 0,
    )


def _notices(line: Line, now: PricedLine | None) -> list[Notice]:
    if now is None or not now.active:
        return [_notice("unavailable", line, f"{line.title} is no longer sold")]
    found = []
    if now.price.amount != line.price:
        change = f"the price of {now.title} went from {inr(line.price).text()} to {now.price.text()}"
        found.append(_notice("price_changed", line, change))
    if now.available <= 0:
        found.append(_notice("out_of_stock", line, f"{now.title} is sold out"))
    elif now.available < line.qty:
        found.append(_notice("qty_over_stock", line, f"only {now.available} of {now.title} left"))
    return found


def _notice(code: str, line: Line, message: str) -> Notice:
    return Notice(code=code, item_id=line.item_id, message=message)
