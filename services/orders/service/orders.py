"""Orders behind their port."""

from collections.abc import Sequence
from datetime import timedelta

from services.contracts.auth import AuthPort
from services.contracts.cart import CartPort
from services.contracts.catalog import CatalogPort
from services.contracts.events import OrderEvent
from services.contracts.orders import (
    CancelOrder,
    CancelPart,
    ChangeAddress,
    DecideReturn,
    MarkPaid,
    OrderClosed,
    OrderStatus,
    OrderView,
    PaymentFact,
    PlaceOrder,
    Quote,
    QuoteRequest,
    RequestReturn,
    SeedOrder,
    SellerPart,
    ShipPart,
)
from services.contracts.sellers import SellersPort
from services.kit.clock import Clock
from services.kit.errors import Forbidden, Invalid, NotFound, Unauthenticated
from services.kit.faults import NO_CRASHES, CrashPoints
from services.kit.idempotency import CommandKey, Idempotency
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.kit.wire import Page
from services.orders.models.billing import Terms
from services.orders.models.order import Order
from services.orders.models.quotes import QuoteSeal
from services.orders.models.seeds import fact_of_seed, order_of_seed
from services.orders.repository import OrderRepository
from services.orders.service.changing import OrderChanges
from services.orders.service.expiring import Expiring
from services.orders.service.fulfilling import Fulfilling
from services.orders.service.invoicing import Invoicing
from services.orders.service.listing import Listing
from services.orders.service.numbering import InvoiceNumbers
from services.orders.service.paying import Paying
from services.orders.service.placing import Placing
from services.orders.service.purchases import Purchases
from services.orders.service.quoting import Methods, Quoting, require_stock
from services.orders.service.redirecting import Redirecting
from services.orders.service.returning import Returning


class OrdersService:
    """Places orders and follows them to the end. Implements OrdersPort.

    `quote_secret` signs quotes; all processes of an installation share it.
    """

    def __init__(
        self,
        repository: OrderRepository,
        outbox: Outbox,
        idempotency: Idempotency,
        clock: Clock,
        *,
        cart: CartPort,
        catalog: CatalogPort,
        auth: AuthPort,
        sellers: SellersPort,
        quote_secret: bytes,
        razorpay_enabled: bool = True,
        cod_enabled: bool = True,
        cod_limit_paise: int = 20_000_00,
        quote_minutes: int = 15,
        expiry_minutes: float = 30,
        orphan_minutes: int = 10,
        shipping_flat_paise: int = 49_00,
        free_shipping_from_paise: int = 499_00,
        commission_bps: int = 800,
        return_days: int = 10,
        restock_returns: bool = True,
        crash: CrashPoints = NO_CRASHES,
    ) -> None:
        self._orders = repository
        self._sellers = sellers
        self._clock = clock
        self._terms = Terms(
            shipping_flat=shipping_flat_paise,
            free_shipping_from=free_shipping_from_paise,
            commission_bps=commission_bps,
        )
        self._quoting = Quoting(
            cart=cart,
            catalog=catalog,
            auth=auth,
            sellers=sellers,
            clock=clock,
            seal=QuoteSeal(quote_secret),
            terms=self._terms,
            methods=Methods(razorpay=razorpay_enabled, cod=cod_enabled, cod_limit=cod_limit_paise),
            lifetime=timedelta(minutes=quote_minutes),
        )
        numbers = InvoiceNumbers(repository)
        changes = OrderChanges(repository, outbox, catalog, cart, numbers)
        self._placing = Placing(
            repository,
            outbox,
            idempotency,
            clock,
            quoting=self._quoting,
            changes=changes,
            numbers=numbers,
            cart=cart,
            catalog=catalog,
            expiry=timedelta(minutes=expiry_minutes),
            crash=crash,
        )
        self._paying = Paying(changes, idempotency, clock)
        self._purchases = Purchases(repository)
        self._fulfilling = Fulfilling(repository, changes, idempotency, clock)
        self._redirecting = Redirecting(changes, idempotency, clock, auth=auth, sellers=sellers)
        self._returning = Returning(
            repository, changes, idempotency, clock, window=timedelta(days=return_days), restock=restock_returns
        )
        self._invoicing = Invoicing(repository, sellers)
        self._listing = Listing(repository)
        self._expiring = Expiring(repository, changes, catalog, cart, clock, orphan=timedelta(minutes=orphan_minutes))

    async def quote(self, who: Principal, request: QuoteRequest) -> Quote:
        _require_account(who)
        draft = await self._quoting.draft(who, request.address_id, request.payment_method)
        require_stock(draft)
        return self._quoting.quote(who, draft, request.payment_method)

    async def place(self, who: Principal, command: PlaceOrder, key: CommandKey) -> OrderView:
        _require_account(who)
        return await self._placing.place(who, command, key)

    async def get(self, who: Principal, order_id: str) -> OrderView:
        return (await self._visible(who, order_id)).view()

    async def mine(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[OrderView]:
        ids = await self._orders.ids_of_user(who.user_id)
        if cursor is not None and cursor not in ids:
            raise Invalid("this cursor is not from a list of these orders", field="cursor")
        start = 0 if cursor is None else ids.index(cursor) + 1
        page = ids[start : start + limit]
        found = await self._orders.many(page)
        more = start + limit < len(ids)
        return Page[OrderView](items=[found[i].view() for i in page], next_cursor=page[-1] if more else None)

    async def cancel(
        self, who: Principal, order_id: str, command: CancelOrder, key: CommandKey | None = None
    ) -> OrderView:
        return await self._paying.cancel(who, order_id, command, key)

    async def change_address(
        self, who: Principal, order_id: str, command: ChangeAddress, key: CommandKey | None = None
    ) -> OrderView:
        return await self._redirecting.change_address(who, order_id, command, key)

    async def part(self, who: Principal, order_id: str) -> SellerPart:
        return await self._fulfilling.part(who, order_id)

    async def ship(self, who: Principal, order_id: str, command: ShipPart, key: CommandKey | None = None) -> SellerPart:
        return await self._fulfilling.ship(who, order_id, command, key)

    async def deliver(self, who: Principal, order_id: str, key: CommandKey | None = None) -> SellerPart:
        return await self._fulfilling.deliver(who, order_id, key)

    async def cancel_part(
        self, who: Principal, order_id: str, command: CancelPart, key: CommandKey | None = None
    ) -> SellerPart:
        return await self._fulfilling.cancel(who, order_id, command, key)

    async def cod_collected(self, who: Principal, order_id: str, key: CommandKey | None = None) -> SellerPart:
        return await self._fulfilling.cod_collected(who, order_id, key)

    async def request_return(self, who: Principal, order_id: str, command: RequestReturn, key: CommandKey) -> OrderView:
        return await self._returning.request(who, order_id, command, key)

    async def approve_return(
        self, who: Principal, return_id: str, command: DecideReturn, key: CommandKey | None = None
    ) -> SellerPart:
        return await self._returning.approve(who, return_id, command, key)

    async def refuse_return(
        self, who: Principal, return_id: str, command: DecideReturn, key: CommandKey | None = None
    ) -> SellerPart:
        return await self._returning.refuse(who, return_id, command, key)

    async def invoice(self, who: Principal, order_id: str) -> bytes:
        return await self._invoicing.invoice(who, order_id)

    async def listed(
        self, who: Principal, status: OrderStatus | None, limit: int = 20, cursor: str | None = None
    ) -> Page[OrderView]:
        if not who.is_admin:
            raise Forbidden("this is for operators")
        return await self._listing.page(status, limit, cursor)

    async def payable(self, who: Principal, order_id: str) -> OrderView:
        order = await self._visible(who, order_id)
        open_until = order.expires_at
        if order.status != "pending" or open_until is None or open_until <= self._clock.now():
            status = "expired" if order.status == "pending" else order.status
            raise OrderClosed(f"the order is {status}; it cannot be paid", details={"status": status})
        return order.view()

    async def mark_paid(self, who: Principal, fact: PaymentFact) -> MarkPaid:
        _require_service(who)
        return await self._paying.mark_paid(fact)

    async def mark_refunded(self, who: Principal, order_id: str, refunded: int) -> OrderView:
        _require_service(who)
        return await self._paying.mark_refunded(order_id, refunded)

    async def has_received(self, user_id: str, product_id: str) -> bool:
        return await self._purchases.has_received(user_id, product_id)

    async def was_ordered(self, product_id: str) -> bool:
        return await self._purchases.was_ordered(product_id)

    async def expire_due(self) -> int:
        return await self._expiring.expire_due()

    async def backfill(self, seeds: Sequence[SeedOrder]) -> list[OrderEvent]:
        """Store orders of the past in bulk, without stock and without publishing; what is there stays as it is.

        Returns one event per order, the last of its life: the whole order as of now, for read models.
        """
        sellers = sorted({line.seller_id for seed in seeds for line in seed.lines})
        profiles = await self._sellers.profiles(sellers)
        states = {seller_id: profile.state for seller_id, profile in profiles.items()}
        orders = [order_of_seed(seed, states, self._terms) for seed in seeds]
        await self._orders.insert_finished(orders)
        return [fact_of_seed(order) for order in orders]

    async def _visible(self, who: Principal, order_id: str) -> Order:
        order = await self._orders.find(order_id)
        if order is None or not (order.user_id == who.user_id or who.is_admin or who.service):
            raise NotFound.of("order")
        return order


def _require_account(who: Principal) -> None:
    if who.is_guest:
        raise Unauthenticated("ordering needs an account; log in first")


def _require_service(who: Principal) -> None:
    if not who.service:
        raise Forbidden("this is for the marketplace itself")
