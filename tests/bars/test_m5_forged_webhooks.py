"""M5: a webhook that the gateway did not sign has no effect; those signed with the new or the old secret have."""

import json
from collections.abc import Callable
from random import Random

import httpx
import pytest
from fastapi import FastAPI

from api import errors
from services.kit.clock import ManualClock
from services.kit.ids import RandomIds
from services.kit.mongo import Mongo
from services.payments.routes import routes
from tests.bars.bar import measured
from tests.fakes.razorpay import WEBHOOK_SECRET, sign
from tests.services.payments.payments_world import OLD_SECRET, Till

SEED = 20261124
VALID = 200
PATH = "/payments/razorpay/webhook"
Headers = list[tuple[bytes, bytes]]
Mutant = tuple[bytes, Headers]
SIGNATURE, EVENT = b"X-Razorpay-Signature", b"x-razorpay-event-id"


@pytest.mark.parametrize("mutants", [300, pytest.param(2000, marks=pytest.mark.full)])
@pytest.mark.timeout(1800)
async def test_m5_forged_webhooks_are_refused_and_true_ones_taken(
    mongo: Mongo, ids: RandomIds, clock: ManualClock, mutants: int
) -> None:
    chance = Random(SEED)
    till = Till(mongo, ids, clock)
    await till.prepare()
    app = FastAPI()
    app.include_router(routes(till.service))
    errors.install(app)
    violations = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as web:
        order = till.orders.has(till.asha)
        attempt = till.gateway.attempt((await till.open(order)).razorpay_order_id)
        raw, signature, event_id = till.gateway.notice("payment.captured", attempt)
        for number in range(mutants):
            name, (body, headers) = _mutant(chance, raw, signature, event_id)
            answer = await web.post(PATH, content=body, headers=headers)
            if answer.status_code != 422:
                violations.append(f"mutant {number} ({name}) was answered {answer.status_code}")
        if (await till.of(order.order_id)).status != "pending" or await till.event_types():
            violations.append("a forged webhook had an effect")
        for number in range(VALID):
            secret = (WEBHOOK_SECRET, OLD_SECRET)[number % 2]
            body, signed, event = till.gateway.notice("payment.captured", attempt, secret=secret)
            answer = await web.post(PATH, content=body, headers=_headers(signed, event))
            if answer.status_code != 200:
                violations.append(f"valid {number} was answered {answer.status_code}")
        if await till.event_types() != ["payment.success"]:
            violations.append(f"the true webhooks ended as {await till.event_types()}")
    measured("M5", mutants, violations, SEED, valid=VALID)


def _headers(signature: str, event_id: str) -> Headers:
    return [(SIGNATURE, signature.encode("latin-1")), (EVENT, event_id.encode())]


def _mutant(chance: Random, raw: bytes, signature: str, event_id: str) -> tuple[str, Mutant]:  # noqa: C901 - a list
    """One change that a true signature does not survive."""

    def flipped_body() -> Mutant:
        at = chance.randrange(len(raw))
        return bytes([*raw[:at], raw[at] ^ chance.randint(1, 255), *raw[at + 1 :]]), _headers(signature, event_id)

    def flipped_signature() -> Mutant:
        at = chance.randrange(len(signature))
        other = chance.choice([c for c in "0123456789abcdef" if c != signature[at]])
        return raw, _headers(signature[:at] + other + signature[at + 1 :], event_id)

    def written_anew() -> Mutant:
        body = json.loads(raw)
        style = chance.choice([{"separators": (",", ":")}, {"indent": chance.randint(0, 4)}, {"sort_keys": True}])
        anew = json.dumps(body, **style).encode()
        return (anew if anew != raw else raw + b" "), _headers(signature, event_id)

    def another_amount() -> Mutant:
        body = json.loads(raw)
        body["payload"]["payment"]["entity"]["amount"] = chance.randrange(1, 10**6) * 100 + 7
        return json.dumps(body).encode(), _headers(signature, event_id)

    def another_secret() -> Mutant:
        secret = chance.choice(["", "secret", WEBHOOK_SECRET[:-1], WEBHOOK_SECRET.upper(), str(chance.random())])
        return raw, _headers(sign(raw, secret or " "), event_id)

    def no_signature() -> Mutant:
        return raw, [(EVENT, event_id.encode())]

    def two_signatures() -> Mutant:
        second = chance.choice([signature, "0" * 64])
        return raw, [*_headers(signature, event_id), (SIGNATURE, second.encode())]

    def cut_short() -> Mutant:
        return raw, _headers(signature[: chance.randrange(len(signature))], event_id)

    def cut_body() -> Mutant:
        return raw[: chance.randrange(len(raw))], _headers(signature, event_id)

    def not_a_signature() -> Mutant:
        return raw, _headers("".join(chr(chance.randint(0xA1, 0xFF)) for _ in range(64)), event_id)

    kinds: list[Callable[[], Mutant]] = [
        flipped_body, flipped_signature, written_anew, another_amount, another_secret, no_signature, two_signatures,
        cut_short, cut_body, not_a_signature,
    ]  # fmt: skip
    kind = chance.choice(kinds)
    return kind.__name__, kind()
