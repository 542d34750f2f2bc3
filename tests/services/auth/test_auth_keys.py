from datetime import timedelta
from pathlib import Path

from services.auth.adapters.keys import KeyRing
from services.kit.clock import ManualClock
from tests.services.auth.conftest import Auth


async def test_a_new_key_signs_and_tokens_of_the_old_one_hold(auth: Auth, clock: ManualClock):
    old = await auth.register()
    clock.advance(timedelta(seconds=1))
    auth.keys.rotate()
    new = await auth.register("binod@example.com")
    assert auth.who(old).user_id == old.user.user_id
    assert auth.who(new).user_id == new.user.user_id
    assert len(auth.keys.jwks()["keys"]) == 2


def test_an_old_key_goes_when_its_last_token_has_expired_and_never_the_newest(tmp_path: Path, clock: ManualClock):
    ring = KeyRing(tmp_path, clock, retire_after=timedelta(minutes=20))
    first = ring.signing_id
    clock.advance(timedelta(days=90))
    ring.reload()
    assert ring.signing_id == first
    second = ring.rotate()
    clock.advance(timedelta(minutes=20))
    ring.reload()
    assert {key["kid"] for key in ring.jwks()["keys"]} == {first, second}
    clock.advance(timedelta(seconds=1))
    ring.reload()
    assert [key["kid"] for key in ring.jwks()["keys"]] == [second]
    assert [path.stem for path in tmp_path.glob("*.pem")] == [second]


def test_keys_made_elsewhere_are_taken_up(tmp_path: Path, clock: ManualClock):
    one, other = KeyRing(tmp_path, clock), KeyRing(tmp_path, clock)
    clock.advance(timedelta(seconds=1))
    made = other.rotate()
    one.reload()
    assert one.signing_id == made
