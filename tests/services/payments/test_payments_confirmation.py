import asyncio
from datetime import timedelta

import pytest
from payments_world import OLD_SECRET, Till

from services.contracts.payments import GatewayAway, PaymentRefused, SignatureInvalid
from services.kit.errors import NotFound
from tests.fakes.razorpay import Entity, sign


async def paid(till: Till, status: str = "captured", **changes: object) -> tuple[str, Entity]:
    """An opened order and an attempt to pay it at the gateway."""
    order = till.orders.has(till.asha)
    opened = await till.open(order)
    return order.order_id, till.gateway.attempt(opened.razorpay_order_id, status, **changes)


async def test_a_verified_payment_is_completed_and_its_order_confirmed(till: Till) -> None:
    order_id, attempt = await paid(till)

    payment = await till.verify(attempt)

    assert (payment.status, payment.transaction_id, payment.method) == ("completed", attempt["id"], "upi")
    assert till.orders.known[order_id].status == "confirmed"
    assert await till.event_types() == ["payment.success"]


async def test_the_kept_answer_of_the_gateway_is_masked(till: Till) -> None:
    _, attempt = await paid(till)

    raw = (await till.verify(attempt)).gateway["raw"]

    assert raw["vpa"] == "s***@razorpay"
    assert "asha@example.in" not in str(raw)
    assert "+919800000000" not in str(raw)


async def test_a_kept_card_shows_its_last_digits_only(till: Till) -> None:
    card = {"last4": "1111", "name": "Asha Rao", "network": "Visa", "type": "debit"}
    _, attempt = await paid(till, method="card", vpa=None, card=card)

    payment = await till.verify(attempt)

    assert payment.method == "debit_card"
    assert payment.gateway["raw"]["card"] == {"network": "Visa", "type": "debit", "number": "**** **** **** 1111"}


async def test_the_same_key_gets_the_same_bytes_again(till: Till) -> None:
    _, attempt = await paid(till)

    first = await till.verify(attempt)
    again = await till.verify(attempt)

    assert again.replayed
    assert again.to_json() == first.to_json()


async def test_a_payment_confirmed_twice_under_two_keys_succeeds_once(till: Till) -> None:
    _, attempt = await paid(till)

    await till.verify(attempt, key="a")
    assert (await till.verify(attempt, key="b")).status == "completed"

    assert await till.event_types() == ["payment.success"]


async def test_an_authorised_payment_is_captured_for_its_amount(till: Till) -> None:
    _, attempt = await paid(till, "authorized")

    assert (await till.verify(attempt)).status == "completed"
    assert till.gateway.payments[attempt["id"]]["status"] == "captured"


async def test_a_lost_answer_to_the_capture_does_not_charge_again(till: Till) -> None:
    _, attempt = await paid(till, "authorized")
    till.gateway.lose["capture"] = 1

    with pytest.raises(GatewayAway):
        await till.verify(attempt)

    assert (await till.verify(attempt)).status == "completed"
    assert till.gateway.calls["capture"] == 1


async def test_somebody_elses_payment_is_not_there(till: Till) -> None:
    _, attempt = await paid(till)

    with pytest.raises(NotFound):
        await till.verify(attempt, who=till.buyer())


async def test_a_gateway_order_we_never_made_is_not_there(till: Till) -> None:
    _, attempt = await paid(till)

    with pytest.raises(NotFound):
        await till.verify({**attempt, "order_id": "order_elsewhere"})


async def test_a_wrong_signature_is_refused_and_nothing_moves(till: Till) -> None:
    order_id, attempt = await paid(till)

    with pytest.raises(SignatureInvalid):
        await till.verify(attempt, signature="0" * 64)

    assert (await till.of(order_id)).status == "pending"
    assert till.gateway.calls["fetch_payment"] == 0


async def test_another_amount_than_the_orders_is_refused(till: Till) -> None:
    order_id, attempt = await paid(till, amount=100)

    with pytest.raises(PaymentRefused) as refused:
        await till.verify(attempt)

    assert refused.value.details == {"reason": "amount_mismatch"}
    assert till.orders.known[order_id].status == "pending"


async def test_a_failed_payment_is_refused_and_the_order_stays_payable(till: Till) -> None:
    order_id, attempt = await paid(till, "failed")

    with pytest.raises(PaymentRefused):
        await till.verify(attempt)
    assert (await till.of(order_id)).status == "failed"

    second = till.gateway.attempt(attempt["order_id"])
    assert (await till.verify(second, key="second")).status == "completed"
    assert await till.event_types() == ["payment.failed", "payment.success"]


async def test_a_captured_webhook_completes_the_payment(till: Till) -> None:
    order_id, attempt = await paid(till)

    assert await till.told("payment.captured", attempt)

    assert (await till.of(order_id)).status == "completed"
    assert till.orders.known[order_id].status == "confirmed"


async def test_a_repeated_webhook_has_its_effect_once(till: Till) -> None:
    _, attempt = await paid(till)
    notice = till.gateway.notice("payment.captured", attempt)

    answers = [await till.service.webhook(*notice) for _ in range(3)]

    assert answers == [True, False, False]
    assert await till.event_types() == ["payment.success"]


async def test_webhooks_in_the_wrong_order_end_completed(till: Till) -> None:
    order_id, attempt = await paid(till)

    await till.told("order.paid", attempt)
    await till.told("payment.captured", attempt)
    await till.told("payment.authorized", {**attempt, "status": "authorized", "captured": False})
    await till.told("payment.failed", {**attempt, "status": "failed", "captured": False})

    assert (await till.of(order_id)).status == "completed"
    assert await till.event_types() == ["payment.success"]


async def test_a_failure_told_late_does_not_take_an_authorisation_back(till: Till) -> None:
    order_id, attempt = await paid(till, "authorized")

    await till.told("payment.authorized", attempt)
    await till.told("payment.failed", {**attempt, "status": "failed"})

    assert (await till.of(order_id)).status == "authorized"


async def test_verify_and_webhooks_at_once_give_one_success(till: Till) -> None:
    for turn in range(50):
        order_id, attempt = await paid_again(till, turn)

        await asyncio.gather(
            till.verify(attempt, key=f"verify-{turn}"),
            till.told("payment.captured", attempt),
            till.told("order.paid", attempt),
            till.service.reconcile(),
        )

        assert (await till.of(order_id)).status == "completed"
        assert till.orders.known[order_id].status == "confirmed"
    types = await till.event_types()
    assert types == ["payment.success"] * 50


async def paid_again(till: Till, turn: int) -> tuple[str, Entity]:
    order = till.orders.has(till.asha)
    opened = await till.open(order, key=f"open-{turn}")
    return order.order_id, till.gateway.attempt(opened.razorpay_order_id)


async def test_a_webhook_before_our_own_open_returned_is_not_lost(till: Till) -> None:
    order = till.orders.has(till.asha)
    gateway_order = await till.gateway.create_order(order.order_id, order.total.amount)
    attempt = till.gateway.attempt(gateway_order["id"])

    assert await till.told("payment.captured", attempt)

    payment = await till.of(order.order_id)
    assert (payment.status, payment.user_id) == ("completed", till.asha.user_id)
    assert till.orders.known[order.order_id].status == "confirmed"


async def test_a_webhook_of_another_shops_order_is_acknowledged(till: Till) -> None:
    gateway_order = await till.gateway.create_order("receipt-of-another-shop", 5_000)

    assert not await till.told("payment.captured", till.gateway.attempt(gateway_order["id"]))


async def test_a_webhook_that_cannot_be_placed_now_is_refused_to_come_again(till: Till) -> None:
    order = till.orders.has(till.asha)
    gateway_order = await till.gateway.create_order(order.order_id, order.total.amount)
    notice = till.gateway.notice("payment.captured", till.gateway.attempt(gateway_order["id"]))
    till.gateway.away = True

    with pytest.raises(GatewayAway):
        await till.service.webhook(*notice)
    till.gateway.away = False

    assert await till.service.webhook(*notice)


async def test_unknown_events_and_signed_nonsense_are_acknowledged(till: Till) -> None:
    _, attempt = await paid(till)

    assert not await till.told("invoice.paid", attempt)
    for raw in (
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"event":"payment.captured"}',
        b'{"event":"order.paid","payload":{"payment":{}}}',
    ):
        assert not await till.service.webhook(raw, sign(raw, OLD_SECRET), "evt_odd")


async def test_orders_that_are_away_are_told_later(till: Till) -> None:
    order_id, attempt = await paid(till)
    till.orders.away = True

    assert (await till.verify(attempt)).status == "completed"
    till.orders.away = False
    assert till.orders.known[order_id].status == "pending"
    till.clock.advance(timedelta(seconds=31))

    assert await till.service.reconcile() == 1
    assert till.orders.known[order_id].status == "confirmed"


async def test_an_authorised_payment_is_captured_by_the_sweep(till: Till) -> None:
    order_id, attempt = await paid(till, "authorized")
    await till.told("payment.authorized", attempt)

    assert await till.service.reconcile() == 1

    assert (await till.of(order_id)).status == "completed"
