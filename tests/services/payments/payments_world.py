"""The payments service among a fake gateway and fake orders, with what a test wants to do and see in one place."""

from typing import Any

from services.contracts.events import OrderEvent
from services.contracts.orders import OrderView
from services.contracts.payments import GatewayOrder, OpenPayment, PaymentView, RequestRefund, VerifyPayment
from services.kit.clock import ManualClock
from services.kit.events import Envelope, envelope_of
from services.kit.faults import CrashPoints
from services.kit.idempotency import CommandKey, Idempotency, command_key
from services.kit.ids import RandomIds
from services.kit.inbox import Inbox
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.payments.consumers import QUEUE, subscription
from services.payments.models import GatewayPort
from services.payments.repository import PaymentRepository
from services.payments.service import PaymentsService
from tests.fakes.orders import FakeOrders, event_of
from tests.fakes.razorpay import WEBHOOK_SECRET, Entity, FakeRazorpay

OLD_SECRET = "the-secret-before"


class Crashed(Exception):
    pass


class CrashesOnce(CrashPoints):
    """Raises at the named point, once, as a killed process would end there."""

    def __init__(self, name: str = "") -> None:
        super().__init__(None)
        self.name = name

    def reach(self, name: str) -> None:
        if name == self.name:
            self.name = ""
            raise Crashed(name)


class Till:
    def __init__(self, mongo: Mongo, ids: RandomIds, clock: ManualClock, gateway: GatewayPort | None = None) -> None:
        self.ids = ids
        self.clock = clock
        self.outbox = Outbox(mongo, "payments", ids, clock)
        self.idempotency = Idempotency(self.outbox.database, ids, clock)
        self.repository = PaymentRepository(self.outbox.database)
        self.inbox = Inbox(self.outbox, QUEUE, clock)
        self.orders = FakeOrders(ids, clock)
        self.gateway = FakeRazorpay()
        self.crash = CrashesOnce()
        self.asha = self.buyer()
        self.admin = Principal(user_id=ids.new("usr"), roles=frozenset({"customer", "admin"}))
        self.accounts: dict[str, str | None] = {}
        self.service = PaymentsService(
            self.repository,
            self.outbox,
            self.idempotency,
            orders=self.orders,
            gateway=gateway or self.gateway,
            clock=clock,
            webhook_secrets=[WEBHOOK_SECRET, OLD_SECRET],
            account_of=self.account_of,
            crash=self.crash,
        )
        self.subscription = subscription(self.service)

    async def prepare(self) -> None:
        for part in (self.outbox, self.idempotency, self.repository, self.inbox):
            await part.prepare()

    async def account_of(self, seller_id: str) -> str | None:
        return self.accounts.get(seller_id, f"acc_{seller_id:0>14}"[:18])

    def buyer(self) -> Principal:
        return Principal(user_id=self.ids.new("usr"), roles=frozenset({"customer"}))

    async def open(self, order: OrderView, key: str = "open-1", who: Principal | None = None) -> GatewayOrder:
        who = who or self.asha
        command = OpenPayment(order_id=order.order_id)
        return await self.service.open(who, command, self._key(who, key, command.to_wire()))

    async def verify(
        self, payment: Entity, key: str = "verify-1", who: Principal | None = None, signature: str | None = None
    ) -> PaymentView:
        who = who or self.asha
        command = VerifyPayment.from_wire(
            {
                "orderId": payment["order_id"],
                "paymentId": payment["id"],
                "signature": signature or self.gateway.signature(payment),
            }
        )
        return await self.service.verify(who, command, self._key(who, key, command.to_wire()))

    async def refund(self, payment_id: str, body: Any = None, *, who: Principal | None = None, key: str = "r-1"):
        who = who or self.admin
        command = RequestRefund.from_wire(body or {})
        return await self.service.refund(who, payment_id, command, self._key(who, key, [payment_id, body]))

    async def told(self, name: str, payment: Entity, **payload: Any) -> bool:
        """The gateway's webhook reaches us."""
        return await self.service.webhook(*self.gateway.notice(name, payment, **payload))

    async def hears(
        self, kind: type[OrderEvent], order_id: str, event_id: str | None = None, due: dict[str, int] | None = None
    ) -> None:
        """The settlement queue delivers an order event."""
        event = event_of(kind, self.orders.known[order_id], due)
        envelope = envelope_of(event, ids=self.ids, now=self.clock.now(), source="orders")
        await self.subscription.handle(envelope.model_copy(update={"id": event_id or envelope.id}))

    async def of(self, order_id: str) -> PaymentView:
        found = await self.service.of_order(self.asha, order_id)
        assert found is not None
        return found

    async def events(self) -> list[Envelope]:
        now = int(self.clock.now().timestamp())
        return await self.outbox.between(now - 10**7, now + 1)

    async def event_types(self) -> list[str]:
        return [event.type for event in await self.events()]

    def _key(self, who: Principal, key: str, body: Any) -> CommandKey:
        return command_key(f"{who.user_id}:test", key, body)
