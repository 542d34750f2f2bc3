"""Which channel tells what: preferences, SMS and push beside mail and the app, their files, retries and status."""

import json
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from api.errors import install
from services.contracts.auth import Contact
from services.contracts.events import OrderShipped, PaymentSucceeded
from services.contracts.notifications import KindsPatch, PreferencesPatch
from services.kit.principal import Principal
from services.notifications.adapters.message_folder import PushFolder, SmsFolder
from services.notifications.models import MailAway, MailRefused
from services.notifications.routes import routes
from services.notifications.service import RETRY_DELAYS
from tests.services.notifications.conftest import ASHA, ORDER, confirmed, order_facts

PHONE = "+919800000001"


class Texts:
    def __init__(self) -> None:
        self.sent = []
        self.trouble = []

    async def send(self, sms):
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append(sms)
        return "sent"


@pytest.fixture
def texts() -> Texts:
    return Texts()


@pytest.fixture
async def all_channels(make_world, texts, tmp_path, contacts):
    contacts.known[ASHA] = Contact(user_id=ASHA, name="Asha Rao", email="asha@example.com", phone=PHONE)
    return await make_world(texts=texts, devices=PushFolder(tmp_path / "push"))


@pytest.fixture
async def http(all_channels):
    app = FastAPI()
    install(app)
    app.include_router(routes(all_channels.service))

    async def authenticate(request):
        return Principal(user_id=ASHA) if request.headers.get("x-user") else None

    app.state.authenticate = authenticate
    headers = {"x-user": ASHA}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop", headers=headers) as client:
        yield client


async def told(world) -> dict[str, str]:
    return {row["channel"]: row["status"] for row in await world.rows()}


async def test_mail_and_the_app_tell_everything_at_first(http, all_channels, happened):
    shown = (await http.get("/notifications/preferences")).json()
    assert all(shown["email"].values())
    assert all(shown["inApp"].values())
    assert not any(shown["sms"].values())
    assert not any(shown["push"].values())
    assert shown["locked"] == ["email.account", "email.payments"]
    await all_channels.service.tell(happened(confirmed()))
    assert await told(all_channels) == {"email": "sent", "in_app": "sent"}


async def test_what_is_switched_on_is_sent_and_what_is_switched_off_is_not(
    http, all_channels, happened, texts, tmp_path
):
    change = {"email": {"orders": False}, "sms": {"orders": True}, "push": {"orders": True}}
    changed = await http.patch("/notifications/preferences", json=change)
    assert changed.status_code == 200
    assert changed.json()["email"] == {
        "account": True, "orders": False, "delivery": True, "payments": True, "stock": True,
    }  # fmt: skip
    await all_channels.service.tell(happened(confirmed()))
    assert await told(all_channels) == {"sms": "sent", "push": "delivered", "in_app": "sent"}
    assert [(sms.phone, sms.text) for sms in texts.sent] == [(PHONE, all_channels.screen.shown[0][1].body)]
    [file] = (tmp_path / "push").glob("*.json")
    pushed = json.loads(file.read_bytes())
    assert (pushed["userId"], pushed["data"]["orderId"]) == (ASHA, ORDER)


async def test_a_change_leaves_the_rest_as_it_was(http):
    await http.patch("/notifications/preferences", json={"sms": {"delivery": True}})
    await http.patch("/notifications/preferences", json={"sms": {"payments": True}, "inApp": {"stock": False}})
    shown = (await http.get("/notifications/preferences")).json()
    assert [kind for kind, on in shown["sms"].items() if on] == ["delivery", "payments"]
    assert [kind for kind, on in shown["inApp"].items() if not on] == ["stock"]


@pytest.mark.parametrize("kind", ["payments", "account"])
async def test_mail_about_money_and_the_account_cannot_be_switched_off(http, all_channels, happened, kind):
    refused = await http.patch("/notifications/preferences", json={"email": {kind: False}, "sms": {"orders": True}})
    assert (refused.status_code, refused.json()["code"]) == (422, "preference_locked")
    assert refused.json()["field"] == f"email.{kind}"
    shown = (await http.get("/notifications/preferences")).json()
    assert shown["email"][kind] is True
    assert shown["sms"]["orders"] is False


async def test_other_channels_may_be_silent_about_money(http, all_channels, happened):
    await http.patch("/notifications/preferences", json={"inApp": {"payments": False}})
    paid = PaymentSucceeded(payment_id="pay_1", order_id=ORDER, user_id=ASHA, amount=304_800, method="upi")
    await all_channels.service.tell(happened(paid))
    assert await told(all_channels) == {"email": "sent"}


async def test_with_everything_off_an_event_is_told_nobody(http, all_channels, happened):
    await http.patch("/notifications/preferences", json={"email": {"delivery": False}, "inApp": {"delivery": False}})
    await all_channels.service.tell(happened(OrderShipped(**order_facts(status="shipped"))))
    assert await told(all_channels) == {}


async def test_without_a_phone_number_there_is_no_sms(http, all_channels, happened, contacts, texts):
    contacts.known[ASHA] = contacts.known[ASHA].model_copy(update={"phone": None})
    await http.patch("/notifications/preferences", json={"sms": {"orders": True}})
    await all_channels.service.tell(happened(confirmed()))
    assert texts.sent == []
    assert "sms" not in await told(all_channels)


async def test_an_sms_is_tried_again_when_its_turn_comes_and_mail_goes_out_meanwhile(
    http, all_channels, happened, texts, clock, postbox
):
    texts.trouble = [MailAway("no network")]
    await http.patch("/notifications/preferences", json={"sms": {"orders": True}})
    await all_channels.service.tell(happened(confirmed()))
    assert await told(all_channels) == {"email": "sent", "sms": "pending", "in_app": "sent"}
    assert await all_channels.service.deliver_pending() == 0
    clock.advance(timedelta(seconds=RETRY_DELAYS[0]))
    assert await all_channels.service.deliver_pending() == 1
    assert (await told(all_channels))["sms"] == "sent"
    assert (len(texts.sent), len(postbox.mails)) == (1, 1)


async def test_a_refused_sms_has_failed_and_is_listed_so(http, all_channels, happened, texts):
    texts.trouble = [MailRefused("no such number")]
    await http.patch("/notifications/preferences", json={"sms": {"orders": True}})
    await all_channels.service.tell(happened(confirmed()))
    failed = (await http.get("/notifications", params={"channel": "sms", "status": "failed"})).json()
    assert [(each["channel"], each["status"]) for each in failed["items"]] == [("sms", "failed")]
    assert (await http.get("/notifications", params={"channel": "sms", "status": "sent"})).json()["items"] == []


async def test_the_list_is_narrowed_to_a_status(http, all_channels, happened):
    await all_channels.service.tell(happened(confirmed()))
    [fresh] = (await http.get("/notifications", params={"status": "sent"})).json()["items"]
    await http.post(f"/notifications/{fresh['notificationId']}/read")
    assert (await http.get("/notifications", params={"status": "sent"})).json()["items"] == []
    [read] = (await http.get("/notifications", params={"status": "read"})).json()["items"]
    assert read["readAt"] is not None
    [mail] = (await http.get("/notifications", params={"channel": "email"})).json()["items"]
    assert mail["status"] == "sent"


async def test_a_mail_with_a_secret_is_never_listed(http, all_channels, postbox):
    postbox.trouble = [MailAway("later")]
    link = {"link": "http://shop/reset#token=s3cret", "minutes": "30"}
    await all_channels.service.send_account_mail(ASHA, "password_reset", link, key="k1")
    assert (await all_channels.rows())[0]["status"] == "pending"
    assert (await http.get("/notifications", params={"channel": "email"})).json()["items"] == []


async def test_an_sms_file_holds_number_and_words(make_world, contacts, happened, tmp_path):
    contacts.known[ASHA] = contacts.known[ASHA].model_copy(update={"phone": PHONE})
    world = await make_world(texts=SmsFolder(tmp_path / "sms"))
    who = Principal(user_id=ASHA)
    await world.service.change_preferences(who, PreferencesPatch(sms=KindsPatch(orders=True)))
    event = happened(confirmed())
    await world.service.tell(event)
    await world.service.tell(event)
    [file] = (tmp_path / "sms").glob("*.json")
    assert json.loads(file.read_bytes())["to"] == PHONE
    assert (await told(world))["sms"] == "delivered"


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {})])
async def test_preferences_are_for_accounts(http, method, body):
    refused = await http.request(method, "/notifications/preferences", json=body, headers={"x-user": ""})
    assert refused.status_code == 401
