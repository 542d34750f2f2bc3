"""What an order would cost now: the cart, the address, today's prices and the sellers, put together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.contracts.auth import Address, AuthPort
from services.contracts.cart import CartItem, CartPort, CartView
from services.contracts.catalog import CatalogPort, OutOfStock, PricedLine, ProductGone
from services.contracts.orders import (
    AddressRequired,
    CartEmpty,
    MethodNotAvailable,
    PaymentMethod,
    Quote,
    SeedLine,
    SellerUnavailable,
)
from services.contracts.sellers import Profile, SellersPort
from services.kit.clock import Clock
from services.kit.ids import named_id
from services.kit.money import inr
from services.kit.principal import Principal
from services.orders.models.billing import Bill, Terms, bill, indian_day
from services.orders.models.parts import Issuer
from services.orders.models.quotes import QuoteSeal


@dataclass(frozen=True)
class Methods:
    """Which ways to pay are on; cash on delivery up to a total in paise."""

    razorpay: bool
    cod: bool
    cod_limit: int


@dataclass(frozen=True)
class Draft:
    """An order before it has an id: who, what, where to, at which price."""

    cart: CartView
    address: Address
    prices: Mapping[str, PricedLine]
    bill: Bill
    issuers: tuple[Issuer, ...]

    @property
    def coupon(self) -> str | None:
        """The coupon that takes something off."""
        return self.cart.coupon_terms.code if self.cart.coupon_terms and self.bill.discount else None


class Quoting:
    """Draws up drafts and quotes; holds nothing, stores nothing."""

    def __init__(
        self,
        *,
        cart: CartPort,
        catalog: CatalogPort,
        auth: AuthPort,
        sellers: SellersPort,
        clock: Clock,
        seal: QuoteSeal,
        terms: Terms,
        methods: Methods,
        lifetime: timedelta,
    ) -> None:
        self._cart = cart
        self._catalog = catalog
        self._auth = auth
        self._sellers = sellers
        self._clock = clock
        self._seal = seal
        self._terms = terms
        self._methods = methods
        self._lifetime = lifetime

    async def draft(self, who: Principal, address_id: str | None, method: PaymentMethod) -> Draft:
        """Checks everything but the stock, which only a reservation can."""
        cart, address = await asyncio.gather(self._cart.get(who), self._address(who, address_id))
        if not cart.items:
            raise CartEmpty("the cart is empty; add something first")
        prices, profiles = await asyncio.gather(
            self._catalog.price([item.variant_id for item in cart.items]),
            self._sellers.profiles(sorted({item.seller_id for item in cart.items})),
        )
        lines = [(_line_id(cart, item), _sellable(item, prices)) for item in cart.items]
        require_sellers(profiles, [line for _, line in lines])
        states = {seller_id: profile.state for seller_id, profile in profiles.items()}
        day = indian_day(self._clock.now())
        drawn = bill(lines, states=states, address=address, terms=self._terms, day=day, coupon=cart.coupon_terms)
        self._require_method(method, drawn.total)
        return Draft(cart=cart, address=address, prices=prices, bill=drawn, issuers=_issuers(profiles))

    def quote(self, who: Principal, draft: Draft, method: PaymentMethod) -> Quote:
        drawn = draft.bill
        unsigned = Quote(
            quote_hash="",
            expires_at=self._expiry(),
            cart_id=draft.cart.cart_id,
            cart_version=draft.cart.version,
            lines=tuple(line.shown() for line in drawn.lines),
            subtotal=inr(drawn.subtotal),
            discount=inr(drawn.discount),
            shipping=inr(drawn.shipping),
            tax=inr(drawn.tax),
            total=inr(drawn.total),
            address=draft.address,
            payment_method=method,
            coupon=draft.coupon,
        )
        return unsigned.model_copy(update={"quote_hash": self._seal.hash_of(unsigned, who.user_id)})

    def changes(self, who: Principal, quote_hash: str, fresh: Quote) -> list[str]:
        return self._seal.changes(quote_hash, fresh, who.user_id, self._clock.now())

    def _expiry(self) -> datetime:
        """Whole seconds, as the hash keeps them."""
        return (self._clock.now() + self._lifetime).replace(microsecond=0)

    async def _address(self, who: Principal, address_id: str | None) -> Address:
        if address_id is not None:
            return await self._auth.address(who, address_id)
        known = await self._auth.addresses(who)
        default = next((address for address in known if address.is_default), None)
        if default is None:
            raise AddressRequired("say where to deliver: add an address first", field="addressId")
        return default

    def _require_method(self, method: PaymentMethod, total: int) -> None:
        enabled = self._methods.cod if method == "cod" else self._methods.razorpay
        if not enabled:
            raise MethodNotAvailable(f"{method} is not offered; choose another way to pay", field="paymentMethod")
        if method == "cod" and total > self._methods.cod_limit:
            limit = inr(self._methods.cod_limit)
            raise MethodNotAvailable(
                f"cash on delivery is for orders up to {limit.text()}",
                field="paymentMethod",
                details={"limit": limit.to_wire()},
            )


def require_stock(draft: Draft) -> None:
    """Raises OutOfStock for the first line that cannot be had in full right now."""
    for item in draft.cart.items:
        now = draft.prices[item.variant_id]
        if now.available < item.qty:
            raise OutOfStock(
                f"only {now.available} of {now.title} left" if now.available else f"{now.title} is sold out",
                details={"variantId": now.variant_id, "title": now.title, "available": now.available},
            )


def require_sellers(profiles: Mapping[str, Profile], lines: Sequence[SeedLine]) -> None:
    for line in lines:
        profile = profiles.get(line.seller_id)
        if profile is None or profile.status != "approved":
            raise SellerUnavailable(
                f"the seller of {line.title} cannot sell right now; remove it from the cart",
                details={"sellerId": line.seller_id, "variantId": line.variant_id},
            )


def _issuers(profiles: Mapping[str, Profile]) -> tuple[Issuer, ...]:
    return tuple(
        Issuer(seller_id=seller_id, name=profile.name, state=profile.state, gstin=profile.gstin)
        for seller_id, profile in sorted(profiles.items())
    )


def _sellable(item: CartItem, prices: Mapping[str, PricedLine]) -> SeedLine:
    now = prices.get(item.variant_id)
    if now is None or not now.active:
        raise ProductGone(
            f"{item.title} is no longer sold; remove it from the cart",
            details={"productId": item.product_id, "variantId": item.variant_id, "title": item.title},
        )
    return SeedLine(
        product_id=now.product_id,
        variant_id=now.variant_id,
        seller_id=now.seller_id,
        title=now.title,
        category=now.category,
        brand=now.brand,
        options=now.options,
        sku=now.sku,
        image=now.image,
        qty=item.qty,
        unit_price=now.price.amount,
    )


def _line_id(cart: CartView, item: CartItem) -> str:
    """The same in the quote and in the order made from it."""
    return named_id("lin", cart.cart_id, str(cart.version), item.variant_id)
