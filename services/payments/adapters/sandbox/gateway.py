"""The sandbox gateway: Razorpay's money rules over a store, with webhooks, knobs and faults."""

import asyncio

import httpx

from services.payments.adapters.sandbox.desk import Desk
from services.payments.adapters.sandbox.entities import Clock, Ids
from services.payments.adapters.sandbox.faults import Faults
from services.payments.adapters.sandbox.orders import Orders
from services.payments.adapters.sandbox.payments import Payments
from services.payments.adapters.sandbox.refunds import Refunds
from services.payments.adapters.sandbox.store import SandboxStore
from services.payments.adapters.sandbox.transfers import Transfers
from services.payments.adapters.sandbox.webhooks import Backoff, WebhookKnobs, Webhooks

ACCOUNT_ID = "acc_SandboxCohort1"


class SandboxGateway:
    """One Razorpay account in test mode.

    `keys` are (key id, key secret). `webhook_url` None: no webhook is configured, none is written. The clock stamps
    entities; waiting between webhook attempts follows the event loop's own time. `fault_route` opens POST /_faults.
    """

    def __init__(
        self,
        store: SandboxStore,
        keys: tuple[str, str],
        webhook_secret: str,
        webhook_url: str | None,
        *,
        clock: Clock,
        ids: Ids,
        knobs: WebhookKnobs | None = None,
        auto_capture: bool = True,
        faults: Faults | None = None,
        fault_route: bool = False,
        backoff: Backoff | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.key_id, self.key_secret = keys
        self.faults = faults or Faults()
        self.fault_route = fault_route
        self.webhooks = Webhooks(
            store,
            webhook_secret,
            webhook_url,
            clock,
            ids,
            account_id=ACCOUNT_ID,
            knobs=knobs or WebhookKnobs(),
            backoff=backoff or Backoff(),
            transport=transport,
        )
        self._store = store
        desk = Desk(store, clock, ids, self.webhooks)
        self.orders = Orders(desk)
        self.payments = Payments(desk, self.key_secret, auto_capture=auto_capture)
        self.refunds = Refunds(desk)
        self.transfers = Transfers(desk)

    @property
    def knobs(self) -> WebhookKnobs:
        return self.webhooks.knobs

    async def prepare(self) -> None:
        """Make the store's indexes; call once before the first request."""
        await self._store.prepare()

    async def run_deliveries(self, stop: asyncio.Event) -> None:
        """Send webhooks until `stop` is set, beginning with those an earlier process left unsent."""
        await self.webhooks.run(stop)
