"""What lines cost: discount, tax, shipping, commission, all in whole paise. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from services.contracts.auth import Address
from services.contracts.cart import CouponTerms
from services.contracts.orders import OrderLine, Part, SeedLine, TaxSplit
from services.kit.money import inr, round_half_up, split_by_largest_remainder
from services.orders.models.gst import gst_rate

INDIAN_TIME = timezone(timedelta(hours=5, minutes=30))


@dataclass(frozen=True)
class Terms:
    """The shop's settings, in paise and basis points (1/100 percent)."""

    shipping_flat: int
    free_shipping_from: int
    commission_bps: int


class SoldLine(OrderLine):
    """A line with what the seller owes the marketplace for it, frozen at the moment of sale."""

    commission: int

    def shown(self) -> OrderLine:
        """As the buyer sees it."""
        return OrderLine.model_validate(self.model_dump(exclude={"commission"}))


@dataclass(frozen=True)
class Bill:
    """total = subtotal - discount + shipping; `tax` is inside it."""

    lines: tuple[SoldLine, ...]
    parts: tuple[Part, ...]
    discount: int = 0

    @property
    def subtotal(self) -> int:
        return sum(line.price.amount * line.qty for line in self.lines)

    @property
    def shipping(self) -> int:
        return sum(part.shipping.amount for part in self.parts)

    @property
    def tax(self) -> int:
        return sum(line.tax.total for line in self.lines)

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.shipping


def indian_day(moment: datetime) -> date:
    return moment.astimezone(INDIAN_TIME).date()


def bill(
    lines: Sequence[tuple[str, SeedLine]],
    *,
    states: Mapping[str, str],
    address: Address,
    terms: Terms,
    day: date,
    discount: int = 0,
    coupon: CouponTerms | None = None,
) -> Bill:
    """Bill these (line id, line) pairs. `states` are the sellers'.

    A coupon takes off the lines it is for; `discount`, at most the sum of the goods, is taken off all of them.
    """
    gross = [line.unit_price * line.qty for _, line in lines]
    shares = split_by_largest_remainder(discount, gross)
    if coupon:
        shares = coupon.discounts([(line.seller_id, line.unit_price * line.qty) for _, line in lines])
        discount = sum(shares)
    sold = tuple(
        _sold(line_id, line, share, within_state=_same(states.get(line.seller_id), address.state), terms=terms, day=day)
        for (line_id, line), share in zip(lines, shares, strict=True)
    )
    return Bill(lines=sold, parts=_parts(sold, terms), discount=discount)


def _sold(line_id: str, line: SeedLine, discount: int, *, within_state: bool, terms: Terms, day: date) -> SoldLine:
    net = line.unit_price * line.qty - discount
    return SoldLine(
        line_id=line_id,
        product_id=line.product_id,
        variant_id=line.variant_id,
        seller_id=line.seller_id,
        title=line.title,
        category=line.category,
        brand=line.brand,
        options=line.options,
        sku=line.sku,
        image=line.image,
        qty=line.qty,
        price=inr(line.unit_price),
        discount=inr(discount),
        line_total=inr(net),
        tax=tax_inside(net, gst_rate(line.category, line.unit_price, day), within_state=within_state),
        commission=round_half_up(net * terms.commission_bps, 10_000),
    )


def tax_inside(net: int, rate: int, *, within_state: bool) -> TaxSplit:
    """The GST that `net` paise contain at `rate` percent."""
    tax = round_half_up(net * rate, 100 + rate)
    if within_state:
        return TaxSplit(rate=rate, cgst=tax // 2, sgst=tax - tax // 2)
    return TaxSplit(rate=rate, igst=tax)


def taxed_for(line: SoldLine, seller_state: str | None, address: Address) -> SoldLine:
    """The line as it is taxed when delivered there; the tax of a line is the same everywhere."""
    split = tax_inside(line.line_total.amount, line.tax.rate, within_state=_same(seller_state, address.state))
    return line.model_copy(update={"tax": split})


def _same(seller_state: str | None, buyer_state: str) -> bool:
    return bool(seller_state) and (seller_state or "").strip().casefold() == buyer_state.strip().casefold()


def _parts(lines: Sequence[SoldLine], terms: Terms) -> tuple[Part, ...]:
    by_seller: dict[str, list[SoldLine]] = {}
    for line in lines:
        by_seller.setdefault(line.seller_id, []).append(line)
    return tuple(_part(seller_id, own, terms) for seller_id, own in by_seller.items())


def _part(seller_id: str, lines: Sequence[SoldLine], terms: Terms) -> Part:
    goods = sum(line.line_total.amount for line in lines)
    return Part(
        seller_id=seller_id,
        status="pending",
        subtotal=inr(goods),
        shipping=inr(0 if goods >= terms.free_shipping_from else terms.shipping_flat),
        line_ids=tuple(line.line_id for line in lines),
    )
