"""Mail that auth asks for."""

from datetime import timedelta

from services.kit.clock import ManualClock
from services.notifications.models import MailAway
from tests.services.notifications.conftest import ASHA, World

RESET = {"link": "https://shop.example/reset#token=tok-secret", "minutes": "30"}


async def test_an_account_mail_goes_out_once_however_often_it_is_asked_for(world: World):
    for _ in range(3):
        await world.service.send_account_mail(ASHA, "password_reset", RESET, key="req_1")
    [mail] = world.postbox.mails
    assert mail.to_email == "asha@example.com"
    assert "https://shop.example/reset#token=tok-secret" in mail.text
    assert "30 minutes" in mail.text


async def test_its_words_are_forgotten_once_it_is_sent_and_never_listed(world: World):
    await world.service.send_account_mail(ASHA, "password_reset", RESET, key="req_1")
    [row] = await world.rows()
    assert row["status"] == "sent"
    assert "tok-secret" not in str(row)


async def test_it_survives_a_mail_server_that_is_away_with_the_same_message_id(world: World, clock: ManualClock):
    world.postbox.trouble.append(MailAway("closed"))
    await world.service.send_account_mail(ASHA, "verify_email", {"link": "tok-secret"}, key="req_2")
    [row] = await world.rows()
    clock.advance(timedelta(minutes=1))
    assert await world.service.deliver_pending() == 1
    [mail] = world.postbox.mails
    assert mail.message_id == f"{row['_id']}@cohort.example"
    assert "tok-secret" in mail.text


async def test_an_account_that_is_gone_gets_nothing(world: World):
    await world.service.send_account_mail("usr_" + "f" * 32, "password_changed", {}, key="req_3")
    assert await world.rows() == []
