"""What operators do with events that no consumer took."""

from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from api.admin import dead_letter_routes
from api.errors import install
from services.kit.broker import RetryPolicy, Subscription
from services.kit.clock import ManualClock
from services.kit.delivery import EmbeddedBroker
from services.kit.events import Envelope
from services.kit.mongo import Mongo
from services.kit.principal import Principal


@dataclass
class Consumer:
    broken: bool = True
    taken: list[str] = field(default_factory=list)

    async def handle(self, event: Envelope) -> None:
        if self.broken:
            raise ValueError("cannot read this")
        self.taken.append(event.id)


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


@pytest.fixture
async def broker(mongo: Mongo, clock: ManualClock, consumer: Consumer):
    policy = RetryPolicy(attempts=1, delays=(1.0,))
    opened = EmbeddedBroker(
        mongo.database("events"), [Subscription("cart-queue", ("order.*",), consumer.handle)], policy, clock
    )
    await opened.start()
    yield opened
    await opened.close()


@pytest.fixture
async def http(broker: EmbeddedBroker):
    app = FastAPI()
    install(app)
    app.include_router(dead_letter_routes(broker))

    async def authenticate(request):
        return Principal(user_id="usr_olga", roles=frozenset(request.headers.get("x-roles", "admin").split()))

    app.state.authenticate = authenticate
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        yield client


async def dies(broker: EmbeddedBroker, clock: ManualClock, *names: str) -> None:
    for name in names:
        event = Envelope(id=name, type="order.created", source="orders", time=clock.now(), subject="ord_1", data={})
        await broker.publish(event)


async def test_dead_letters_are_listed_with_their_reason(http, broker, clock):
    await dies(broker, clock, "evt_1", "evt_2", "evt_3")
    first = (await http.get("/admin/dead-letters", params={"limit": 2})).json()
    rest = (await http.get("/admin/dead-letters", params={"limit": 2, "cursor": first["nextCursor"]})).json()
    assert [letter["event"]["id"] for letter in first["items"] + rest["items"]] == ["evt_3", "evt_2", "evt_1"]
    assert first["items"][0]["reason"] == "ValueError: cannot read this"
    assert rest["nextCursor"] is None
    assert (await http.get("/admin/dead-letters", params={"queue": "order-queue"})).json()["items"] == []


async def test_a_replayed_letter_is_handled_and_gone(http, broker, clock, consumer):
    await dies(broker, clock, "evt_1")
    consumer.broken = False
    replayed = await http.post("/admin/dead-letters/cart-queue:evt_1/replay")
    assert (replayed.status_code, consumer.taken) == (204, ["evt_1"])
    assert (await http.get("/admin/dead-letters")).json()["items"] == []
    again = await http.post("/admin/dead-letters/cart-queue:evt_1/replay")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


async def test_a_letter_that_fails_again_stays_and_says_why(http, broker, clock):
    await dies(broker, clock, "evt_1")
    refused = await http.post("/admin/dead-letters/cart-queue:evt_1/replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "still_dead")
    assert "cannot read this" in refused.json()["detail"]
    assert len((await http.get("/admin/dead-letters")).json()["items"]) == 1


@pytest.mark.parametrize("cursor", ["zzz", "1_", "_", "²" * 15 + "_x"])
async def test_a_foreign_cursor_is_refused(http, cursor):
    refused = await http.get("/admin/dead-letters", params={"cursor": cursor})
    assert (refused.status_code, refused.json()["field"]) == (422, "cursor")


async def test_dead_letters_are_for_operators(http):
    assert (await http.get("/admin/dead-letters", headers={"x-roles": "seller"})).status_code == 403
