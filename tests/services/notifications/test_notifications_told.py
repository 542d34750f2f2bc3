import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.contracts import events
from services.contracts.events import REGISTRY, InventoryLow, OrderUpdated, PaymentRefunded, UserCreated
from services.kit.ids import seller_id_of
from services.notifications.consumers import subscription
from services.notifications.models import TEMPLATES, MailAway, MailRefused
from tests.services.notifications.conftest import ASHA, BINOD, ORDER, Killed, KilledAt, World, confirmed, order_facts

PAYMENT = {
    "payment_id": "pay_1",
    "order_id": ORDER,
    "user_id": ASHA,
    "amount": 304_800,
    "method": "upi",
    "transaction_id": "pay_RZP",
    "reason": "declined by the bank",
    "refund_id": "rfd_1",
    "refunded": 100_000,
}
FACTS: dict[str, dict[str, Any]] = {
    "user": {"user_id": ASHA, "roles": ("customer",)},
    "order": order_facts(reason="changed my mind"),
    "payment": PAYMENT,
    "inventory": {
        "product_id": "prd_1",
        "seller_id": seller_id_of(ASHA),
        "variant_id": "var_1",
        "sku": "RUN-8",
        "title": "Runner",
        "available": 2,
    },
}


@pytest.mark.parametrize("event_type", sorted(TEMPLATES))
async def test_every_event_of_the_table_is_told_by_mail_and_in_the_app(world: World, happened, event_type: str):
    event = REGISTRY[event_type](**FACTS[event_type.partition(".")[0]])
    await world.service.tell(happened(event))
    [mail] = world.postbox.mails
    [(user_id, shown)] = world.screen.shown
    assert (mail.to_email, mail.to_name, user_id) == ("asha@example.com", "Asha Rao", ASHA)
    assert mail.subject == shown.subject
    assert "\n" not in mail.subject + shown.body
    assert mail.text.startswith("Hello Asha Rao,\n\n")
    assert "\n\n\n" not in mail.text
    assert mail.text.endswith("\n\nCohort\n")
    assert "<p>Hello Asha Rao,</p>" in mail.html
    assert shown.data["event"] == event_type
    assert {row["status"] for row in await world.rows()} == {"sent"}


async def test_the_confirmation_names_lines_total_and_place(world: World, happened):
    await world.service.tell(happened(confirmed()))
    [mail] = world.postbox.mails
    for words in (ORDER, "- 2 × Runner <i>& co</i>: ₹2,998\nShipping: ₹50\nTotal: ₹3,048", "Bengaluru, Karnataka"):
        assert words in mail.text
    assert "Runner &lt;i&gt;&amp; co&lt;/i&gt;" in mail.html
    assert world.screen.shown[0][1].data == {"event": "order.confirmed", "orderId": ORDER, "status": "confirmed"}


async def test_a_refund_says_what_is_refunded(world: World, happened):
    await world.service.tell(happened(PaymentRefunded(**PAYMENT)))
    assert "₹1,000 is refunded in all" in world.postbox.mails[0].text


async def test_low_stock_is_told_to_the_seller(world: World, happened):
    low = InventoryLow(**{**FACTS["inventory"], "seller_id": seller_id_of(BINOD), "available": 0})
    await world.service.tell(happened(low))
    [mail] = world.postbox.mails
    assert (mail.to_email, mail.subject) == ("binod@example.com", "Sold out: Runner")
    assert "Hello Binod &lt;b&gt;," in mail.html


async def test_line_breaks_in_a_title_stay_out_of_subject_and_layout(world: World, happened):
    low = InventoryLow(**{**FACTS["inventory"], "title": "Runner\n\nSubject: won"})
    await world.service.tell(happened(low))
    [mail] = world.postbox.mails
    assert mail.subject == "Only 2 left: Runner Subject: won"
    assert mail.text.startswith("Hello Asha Rao,\n\nyour product Runner Subject: won, SKU")


async def test_other_events_and_accounts_that_are_gone_tell_nobody(world: World, happened):
    await world.service.tell(happened(OrderUpdated(**order_facts())))
    await world.service.tell(happened(UserCreated(user_id="usr_gone", roles=())))
    assert await world.rows() == []
    assert world.postbox.tries == 0


async def test_an_event_is_told_once_however_often_it_comes(world: World, happened):
    envelope = happened(confirmed())
    handle = subscription(world.service).handle
    await asyncio.gather(*(handle(envelope) for _ in range(5)))
    await handle(envelope)
    assert await world.service.deliver_pending() == 0
    assert len(world.postbox.mails) == len(world.screen.shown) == 1
    assert len(await world.rows()) == 2


def test_the_queue_brings_every_event_of_the_table(world: World):
    wanted = subscription(world.service)
    assert all(wanted.wants(event_type) for event_type in TEMPLATES)
    assert wanted.topics == events.QUEUES["notification-queue"]


async def test_a_crash_before_sending_is_made_good_exactly_once(make_world, happened, world: World):
    dying: World = await make_world(crash=KilledAt("notifications.written"))
    envelope = happened(confirmed())
    with pytest.raises(Killed):
        await dying.service.tell(envelope)
    [row] = await world.rows(channel="email")
    assert (row["status"], world.postbox.mails) == ("pending", [])
    await world.service.tell(envelope)
    assert world.postbox.mails == []
    assert await world.service.deliver_pending() == 1
    assert await world.service.deliver_pending() == 0
    assert [mail.message_id for mail in world.postbox.mails] == [f"{row['_id']}@cohort.example"]


async def test_a_crash_while_sending_is_made_good_after_the_attempts_time(make_world, happened, world: World, clock):
    world.postbox.trouble = [Killed()]
    with pytest.raises(Killed):
        await world.service.tell(happened(confirmed()))
    assert await world.service.deliver_pending() == 0
    clock.advance(timedelta(seconds=60))
    assert await world.service.deliver_pending() == 1
    assert await world.service.deliver_pending() == 0
    assert len(world.postbox.mails) == 1


async def test_a_crash_after_sending_repeats_the_same_message(make_world, happened, world: World, clock):
    dying: World = await make_world(crash=KilledAt("notifications.sent"))
    with pytest.raises(Killed):
        await dying.service.tell(happened(confirmed()))
    clock.advance(timedelta(seconds=60))
    assert await world.service.deliver_pending() == 1
    first, second = world.postbox.mails
    assert first == second


async def test_two_senders_never_take_the_same_mail(make_world, happened):
    dying: World = await make_world(crash=KilledAt("notifications.written"))
    for _ in range(5):
        with pytest.raises(Killed):
            await dying.service.tell(happened(confirmed()))
    senders: list[World] = [await make_world() for _ in range(3)]
    assert sum(await asyncio.gather(*(sender.service.deliver_pending() for sender in senders))) == 5
    assert len({mail.message_id for mail in dying.postbox.mails}) == len(dying.postbox.mails) == 5


async def test_while_the_mail_server_is_away_everything_waits_and_then_goes_out(world: World, happened, clock):
    world.postbox.trouble = [MailAway("connection refused")]
    for _ in range(3):
        await world.service.tell(happened(confirmed()))
    assert world.postbox.tries == 1
    assert len(world.screen.shown) == 3
    assert await world.service.deliver_pending() == 2
    clock.advance(timedelta(seconds=30))
    assert await world.service.deliver_pending() == 1
    await world.service.tell(happened(confirmed()))
    assert len(world.postbox.mails) == 4


async def test_a_mail_that_never_gets_through_fails_with_its_reason(make_world, happened, clock):
    world: World = await make_world(retry_delays=(10.0, 20.0))
    world.postbox.trouble = [MailAway("away"), RuntimeError("odd"), MailAway("still away")]
    await world.service.tell(happened(confirmed()))
    clock.advance(timedelta(seconds=9))
    await world.service.deliver_pending()
    assert world.postbox.tries == 1
    clock.advance(timedelta(seconds=1))
    await world.service.deliver_pending()
    clock.advance(timedelta(seconds=20))
    await world.service.deliver_pending()
    [row] = await world.rows(channel="email")
    assert (row["status"], row["reason"], row["attempts"]) == ("failed", "still away", 3)
    clock.advance(timedelta(days=9))
    assert await world.service.deliver_pending() == 0
    assert world.postbox.tries == 3


async def test_a_refused_mail_fails_at_once(world: World, happened):
    world.postbox.trouble = [MailRefused("550 no such mailbox")]
    await world.service.tell(happened(confirmed()))
    [row] = await world.rows(channel="email")
    assert (row["status"], row["reason"]) == ("failed", "550 no such mailbox")
    await world.service.tell(happened(confirmed()))
    assert len(world.postbox.mails) == 1


async def test_a_mail_goes_to_the_address_of_today(make_world, happened, world: World):
    dying: World = await make_world(crash=KilledAt("notifications.written"))
    for _ in range(2):
        with pytest.raises(Killed):
            await dying.service.tell(happened(confirmed()))
    moved = world.contacts.known[ASHA].model_copy(update={"email": "new@example.com"})
    world.contacts.known[ASHA] = moved
    assert await world.service.deliver_pending() == 2
    assert {mail.to_email for mail in world.postbox.mails} == {"new@example.com"}


async def test_a_mail_for_an_account_that_went_meanwhile_fails(make_world, happened, world: World):
    dying: World = await make_world(crash=KilledAt("notifications.written"))
    with pytest.raises(Killed):
        await dying.service.tell(happened(confirmed()))
    del world.contacts.known[ASHA]
    assert await world.service.deliver_pending() == 0
    assert [row["reason"] for row in await world.rows(status="failed")] == ["the account is gone"]


async def test_a_broken_socket_does_not_hold_up_the_mail(world: World, happened):
    world.screen.broken = True
    await world.service.tell(happened(confirmed()))
    assert len(world.postbox.mails) == 1
