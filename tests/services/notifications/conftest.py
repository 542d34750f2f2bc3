"""Notifications on the real database, with an auth and a mailer that a test can look into."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.contracts.auth import Contact
from services.contracts.events import OrderConfirmed, OrderLineFact
from services.contracts.notifications import NotificationView
from services.kit.clock import ManualClock
from services.kit.errors import Forbidden, NotFound
from services.kit.events import Envelope, Event, envelope_of
from services.kit.faults import CrashPoints
from services.kit.ids import RandomIds
from services.kit.inbox import Inbox
from services.kit.mongo import Mongo
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.notifications.adapters.templates import Templates
from services.notifications.models import Mail
from services.notifications.repository import NotificationRepository
from services.notifications.service import NotificationsService
from tests.conftest import START

ASHA = "usr_" + "a" * 32
BINOD = "usr_" + "b" * 32
ORDER = "ord_" + "1" * 32


class Killed(BaseException):
    """Stands for the end of the process at this very point."""


class KilledAt(CrashPoints):
    def __init__(self, name: str) -> None:
        self._name = name

    def reach(self, name: str) -> None:
        if name == self._name:
            raise Killed


class Contacts:
    """The one part of auth that notifications ask."""

    def __init__(self) -> None:
        self.known = {
            ASHA: Contact(user_id=ASHA, name="Asha Rao", email="asha@example.com"),
            BINOD: Contact(user_id=BINOD, name="Binod <b>", email="binod@example.com"),
        }

    async def contact(self, who: Principal, user_id: str) -> Contact:
        if not who.service:
            raise Forbidden("contacts are for the marketplace's own services")
        if user_id not in self.known:
            raise NotFound.of("account")
        return self.known[user_id]


@dataclass
class Postbox:
    """A mailer that keeps what it takes; `trouble` is raised instead, as often as it holds errors."""

    mails: list[Mail] = field(default_factory=list)
    tries: int = 0
    trouble: list[BaseException] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        self.tries += 1
        if self.trouble:
            raise self.trouble.pop(0)
        self.mails.append(mail)


@dataclass
class Screen:
    """Open sockets."""

    shown: list[tuple[str, NotificationView]] = field(default_factory=list)
    broken: bool = False

    async def push(self, user_id: str, notification: NotificationView) -> None:
        if self.broken:
            raise ConnectionError("socket closed")
        self.shown.append((user_id, notification))


@dataclass
class World:
    service: NotificationsService
    outbox: Outbox
    contacts: Contacts
    postbox: Postbox
    screen: Screen

    async def rows(self, **query: Any) -> list[dict[str, Any]]:
        return await self.outbox.database["notifications"].find(query).to_list(None)


@pytest.fixture
def contacts() -> Contacts:
    return Contacts()


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def make_world(
    mongo: Mongo, clock: ManualClock, ids: RandomIds, contacts: Contacts, postbox: Postbox, screen: Screen
) -> Callable[..., Any]:
    async def make(**settings: Any) -> World:
        outbox = Outbox(mongo, "notifications", ids, clock)
        repository = NotificationRepository(outbox.database)
        inbox = Inbox(outbox, "notification-queue", clock)
        await repository.prepare()
        await inbox.prepare()
        service = NotificationsService(
            repository,
            inbox,
            auth=contacts,  # type: ignore[arg-type]
            mailer=postbox,
            templates=Templates(),
            clock=clock,
            push=screen.push,
            **settings,
        )
        return World(service, outbox, contacts, postbox, screen)

    return make


@pytest.fixture
async def world(make_world: Callable[..., Any]) -> World:
    return await make_world()


@pytest.fixture
def happened(ids: RandomIds, clock: ManualClock) -> Callable[[Event], Envelope]:
    return lambda event: envelope_of(event, ids=ids, now=clock.now(), source="test")


def order_facts(**change: Any) -> dict[str, Any]:
    line = OrderLineFact(
        line_id="lin_1",
        product_id="prd_1",
        variant_id="var_1",
        seller_id="sel_1",
        title="Runner <i>& co</i>",
        category="Shoes",
        qty=2,
        unit_price=149_900,
        net=299_800,
        tax=45_732,
    )
    facts = {
        "order_id": ORDER,
        "user_id": ASHA,
        "cart_id": "crt_1",
        "cart_version": 1,
        "status": "confirmed",
        "payment_status": "paid",
        "payment_method": "razorpay",
        "total": 304_800,
        "tax": 45_732,
        "shipping": 5_000,
        "discount": 0,
        "city": "Bengaluru",
        "state": "Karnataka",
        "lines": (line,),
        "placed_at": START,
        "version": 2,
    }
    return {**facts, **change}


def confirmed(**change: Any) -> OrderConfirmed:
    return OrderConfirmed(**order_facts(**change))
