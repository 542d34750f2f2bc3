"""What the cart promises."""

from typing import Annotated, Protocol

from pydantic import AliasChoices, Field

from services.kit.errors import Conflict, Invalid, Refused, Unavailable
from services.kit.money import Money
from services.kit.principal import Principal
from services.kit.wire import Wire

MAX_QTY = 100
MAX_LINES = 50


class AmbiguousItem(Conflict):
    """A productId that stands in several lines; `details.items` names them."""

    code = "ambiguous_item"


class CartFull(Refused):
    code = "cart_full"


class CartBusy(Unavailable):
    """Too many writers at once on one cart; nothing was changed."""

    code = "cart_busy"


class QtyInvalid(Invalid):
    code = "invalid_qty"


Qty = Annotated[int, Field(ge=1, le=MAX_QTY, validation_alias=AliasChoices("qty", "quantity"))]


class AddItem(Wire):
    """Either id; a productId must have exactly one active variant."""

    product_id: str | None = None
    variant_id: str | None = None
    qty: Qty = 1


class ChangeItem(Wire):
    """qty ≤ 0 removes the line."""

    qty: Annotated[int, Field(ge=-MAX_QTY, le=MAX_QTY, validation_alias=AliasChoices("qty", "quantity"))]


class CartItem(Wire):
    item_id: str
    product_id: str
    variant_id: str
    seller_id: str
    title: str
    options: dict[str, str] = {}
    image: str | None = None
    qty: int
    price: Money
    line_total: Money
    available: int


class Notice(Wire):
    """What changed since the cart was last written to: price_changed, out_of_stock, qty_over_stock, unavailable.

    Reading does not use a notice up; the next change of the cart does.
    """

    code: str
    item_id: str
    message: str


class CartView(Wire):
    """`total` is the sum of the lines that can be bought as they stand, before shipping; prices include GST.

    `version` grows with every change of the lines; 0 is a cart nobody wrote to yet.
    """

    cart_id: str
    version: int
    items: tuple[CartItem, ...]
    total: Money
    coupon: str | None = None
    notices: tuple[Notice, ...] = ()


class CartPort(Protocol):
    """`key` makes a repeated write do nothing twice; the cart remembers its last hundred keys."""

    async def get(self, who: Principal) -> CartView: ...

    async def add(self, who: Principal, item: AddItem, key: str | None = None) -> CartView:
        """Raises NotFound, ProductGone, VariantRequired, OutOfStock, CartFull."""

    async def change(self, who: Principal, item_ref: str, change: ChangeItem, key: str | None = None) -> CartView:
        """`item_ref`: itemId, variantId, or productId when unambiguous. Raises NotFound, AmbiguousItem, OutOfStock."""

    async def remove(self, who: Principal, item_ref: str, key: str | None = None) -> CartView:
        """Raises NotFound, AmbiguousItem."""

    async def clear(self, who: Principal, key: str | None = None) -> CartView: ...

    async def merge_guest(self, who: Principal, guest: Principal) -> CartView:
        """At login: the guest's lines move over, in one write; repeatable.

        Quantities add up to at most MAX_QTY; lines beyond MAX_LINES stay with the guest.
        """
