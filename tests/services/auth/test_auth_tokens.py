import base64
import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from services.auth.adapters.keys import KeyRing
from services.kit.clock import ManualClock
from services.kit.errors import Unauthenticated
from services.kit.tokens import TokenVerifier
from tests.services.auth.conftest import Auth


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def signed(auth: Auth, claims: dict[str, Any], key: Any = None, **headers: Any) -> str:
    all_headers = {"typ": "at+jwt", "kid": auth.keys.signing_id, **headers}
    return jwt.encode(claims, key or auth.keys.signing_key, algorithm="EdDSA", headers=all_headers)


@pytest.fixture
async def token(auth: Auth) -> str:
    return (await auth.register()).access_token


def test_a_token_of_ours_is_accepted_with_all_its_claims(auth: Auth, token: str):
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "at+jwt", "kid": auth.keys.signing_id}
    assert set(claims_of(token)) == {"iss", "aud", "sub", "sid", "roles", "name", "iat", "nbf", "exp"}
    assert auth.verifier.verify(signed(auth, claims_of(token))).user_id == claims_of(token)["sub"]


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "other"},
        {"aud": None},
        {"iss": "other"},
        {"exp": 0},
        {"exp": None},
        {"sid": None},
        {"nbf": 10**11},
        {"iat": 10**11},
        {"sub": "gst_1"},
        {"sub": None},
        {"roles": "admin"},
        {"roles": None},
    ],
    ids=str,
)
def test_a_signed_token_with_a_wrong_claim_is_refused(auth: Auth, token: str, change: dict[str, Any]):
    claims = {k: v for k, v in {**claims_of(token), **change}.items() if v is not None}
    with pytest.raises(Unauthenticated):
        auth.verifier.verify(signed(auth, claims))


@pytest.mark.parametrize("typ", ["JWT", "rt+jwt", "", "AT+JWT"])
def test_another_type_of_token_is_refused(auth: Auth, token: str, typ: str):
    with pytest.raises(Unauthenticated):
        auth.verifier.verify(signed(auth, claims_of(token), typ=typ))


def test_edited_unsigned_and_foreign_tokens_are_refused(auth: Auth, token: str, tmp_path: Path, clock: ManualClock):
    header, body, signature = token.split(".")
    kid = auth.keys.signing_id
    stranger = KeyRing(tmp_path / "stranger", clock)
    public = auth.keys.jwks()["keys"][0]["x"]
    confused = jwt.encode(
        claims_of(token), public.ljust(44, "="), algorithm="HS256", headers={"typ": "at+jwt", "kid": kid}
    )
    mutants = [
        f"{header}.{encoded({**claims_of(token), 'roles': ['admin']})}.{signature}",
        f"{encoded({'alg': 'none', 'typ': 'at+jwt', 'kid': kid})}.{body}.",
        f"{encoded({'alg': 'EdDSA', 'typ': 'at+jwt', 'kid': 'other'})}.{body}.{signature}",
        f"{encoded({'alg': 'EdDSA', 'typ': 'at+jwt'})}.{body}.{signature}",
        f"{header}.{body}.",
        f"{header}.{body}.{signature[::-1]}",
        f"{header}.{body}",
        signed(auth, claims_of(token), key=stranger.signing_key),
        signed(auth, claims_of(token), key=stranger.signing_key, kid=stranger.signing_id),
        signed(auth, claims_of(token), key=stranger.signing_key, jwk=stranger.jwks()["keys"][0]),
        confused,
        "",
        "a.b.c",
    ]
    for mutant in mutants:
        with pytest.raises(Unauthenticated):
            auth.verifier.verify(mutant)


def test_an_access_token_ends_after_its_quarter_of_an_hour(auth: Auth, token: str, clock: ManualClock):
    clock.advance(timedelta(minutes=14, seconds=59))
    auth.verifier.verify(token)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        auth.verifier.verify(token)


async def test_a_refresh_token_is_no_access_token(auth: Auth):
    with pytest.raises(Unauthenticated):
        auth.verifier.verify((await auth.register()).refresh_token)


def test_after_a_rotation_the_new_key_signs_and_the_old_one_still_verifies(tmp_path: Path, clock: ManualClock):
    ring = KeyRing(tmp_path / "keys", clock)
    old = ring.signing_id
    clock.advance(timedelta(days=30))
    new = ring.rotate()
    again = KeyRing(tmp_path / "keys", clock)
    assert again.signing_id == ring.signing_id == new
    assert set(again.public_keys()) == {old, new}
    assert [key["kid"] for key in again.jwks()["keys"]] == [new, old]


def test_keys_are_readable_by_their_owner_only(tmp_path: Path, clock: ManualClock):
    KeyRing(tmp_path / "keys", clock)
    [path] = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    KeyRing(tmp_path / "keys", clock)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_published_keys_hold_nothing_private_and_verify(auth: Auth, token: str, clock: ManualClock):
    keys = {jwk["kid"]: jwt.PyJWK(jwk).key for jwk in auth.keys.jwks()["keys"]}
    assert all("d" not in jwk for jwk in auth.keys.jwks()["keys"])
    assert TokenVerifier(lambda: keys, clock).verify(token)


def test_a_damaged_key_is_named_and_left_alone(tmp_path: Path, clock: ManualClock):
    KeyRing(tmp_path / "keys", clock)
    [path] = (tmp_path / "keys").iterdir()
    path.write_text("not a key")
    with pytest.raises(ValueError, match=path.name):
        KeyRing(tmp_path / "keys", clock)
    assert path.read_text() == "not a key"
