import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from payments_world import OLD_SECRET, WEBHOOK_SECRET

from services.payments.adapters.razorpay import RazorpayGateway
from tests.fakes.razorpay import sign

BODY = json.dumps({"event": "payment.captured", "payload": {"payment": {"entity": {"id": "pay_1", "amount": 5}}}})
RAW = BODY.encode()
SECRETS = [WEBHOOK_SECRET, OLD_SECRET]


@pytest.fixture(scope="module")
def gateway():
    opened = RazorpayGateway("rzp_test_key", "secret", threads=1)
    yield opened
    opened.close()


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(RAW) - 1), flip=st.integers(1, 255))
def test_a_flipped_byte_of_the_body_is_noticed(gateway: RazorpayGateway, at: int, flip: int) -> None:
    changed = bytes([*RAW[:at], RAW[at] ^ flip, *RAW[at + 1 :]])

    assert not gateway.verify_webhook(changed, sign(RAW, WEBHOOK_SECRET), SECRETS)


@settings(max_examples=500)
@given(signature=st.one_of(st.text(max_size=80), st.binary(min_size=32, max_size=32).map(bytes.hex)))
def test_an_invented_signature_is_noticed(gateway: RazorpayGateway, signature: str) -> None:
    assert not gateway.verify_webhook(RAW, signature, SECRETS)


@settings(max_examples=100)
@given(secret=st.text(min_size=1, max_size=40).filter(lambda secret: secret not in SECRETS))
def test_another_secret_is_noticed(gateway: RazorpayGateway, secret: str) -> None:
    assert not gateway.verify_webhook(RAW, sign(RAW, secret), SECRETS)


def test_the_same_json_written_anew_is_noticed(gateway: RazorpayGateway) -> None:
    rewritten = json.dumps(json.loads(RAW), separators=(",", ":")).encode()

    assert not gateway.verify_webhook(rewritten, sign(RAW, WEBHOOK_SECRET), SECRETS)


@pytest.mark.parametrize("secret", SECRETS)
def test_the_new_and_the_previous_secret_are_accepted(gateway: RazorpayGateway, secret: str) -> None:
    assert gateway.verify_webhook(RAW, sign(RAW, secret), SECRETS)
