"""A2, A3 and A7: only our tokens, stolen refresh tokens are caught, login tells nothing."""

import asyncio
import base64
import hashlib
import hmac
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.security.conftest import ORIGIN, World, bearer, register

ROUTES = [
    ("GET", "/auth/me"), ("PATCH", "/auth/users/me"), ("GET", "/auth/sessions"), ("POST", "/auth/logout-all"),
    ("GET", "/cart"), ("POST", "/cart/items"), ("GET", "/orders/me"), ("POST", "/orders"),
    ("POST", "/payments/razorpay/order"), ("GET", "/notifications"), ("GET", "/seller/profile"), ("POST", "/products"),
    ("GET", "/admin/users"), ("POST", "/chat"),
]  # fmt: skip
"""One of every protected class."""


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Mint:
    """Makes tokens that are wrong in one way each out of a good one."""

    def __init__(self, world: World, token: str, refresh_token: str) -> None:
        self.keys = world.container.keys
        self.token, self.refresh_token = token, refresh_token
        self.header = jwt.get_unverified_header(token)
        self.claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        self.now = int(time.time())

    def signed(self, header: dict[str, Any], claims: dict[str, Any], key: Any = None) -> str:
        """By our own key unless another is given, whatever the header says."""
        head = f"{encoded({k: v for k, v in header.items() if v is not None})}.{encoded(claims)}"
        return f"{head}.{encoded((key or self.keys.signing_key).sign(head.encode()))}"

    def with_header(self, **changes: Any) -> str:
        return self.signed({**self.header, **changes}, self.claims)

    def with_claims(self, **changes: Any) -> str:
        claims = {**self.claims, **changes}
        return self.signed(self.header, {k: v for k, v in claims.items() if v is not None})

    def by_hmac(self, secret: bytes, algorithm: str = "HS256") -> str:
        head = f"{encoded({**self.header, 'alg': algorithm})}.{encoded(self.claims)}"
        return f"{head}.{encoded(hmac.new(secret, head.encode(), hashlib.sha256).digest())}"

    def mutants(self) -> Iterator[tuple[str, str]]:
        yield from self._unsigned()
        yield from self._other_keys()
        yield from ((f"header {change}", self.with_header(**change)) for change in self._headers())
        yield from ((f"claims {change}", self.with_claims(**change)) for change in self._claims())
        yield from self._mangled()

    def _unsigned(self) -> Iterator[tuple[str, str]]:
        for algorithm in ("none", "None", "NONE", "nOnE", ""):
            head = f"{encoded({**self.header, 'alg': algorithm})}.{encoded(self.claims)}"
            yield f"alg {algorithm!r}", f"{head}."
            yield f"alg {algorithm!r} with a signature", f"{head}.{self.token.split('.')[2]}"

    def _other_keys(self) -> Iterator[tuple[str, str]]:
        public = self.keys.signing_key.public_key()
        for encoding, form in ((Encoding.Raw, PublicFormat.Raw), (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
            yield f"hmac by our public key, {encoding}", self.by_hmac(public.public_bytes(encoding, form))
        yield "hmac by the key id", self.by_hmac(str(self.header["kid"]).encode())
        yield "hmac by nothing", self.by_hmac(b"")
        yield "hmac 512 named", self.by_hmac(b"secret", "HS512")
        stranger = Ed25519PrivateKey.generate()
        yield "another key, our id", self.signed(self.header, self.claims, stranger)
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": encoded(stranger.public_key().public_bytes_raw())}
        yield "its own key inside", self.signed({**self.header, "jwk": jwk}, self.claims, stranger)
        yield "its own key inside, no id", self.signed({**self.header, "jwk": jwk, "kid": None}, self.claims, stranger)
        for name in ("jku", "x5u"):
            header = {**self.header, name: "https://evil.example/jwks.json"}
            yield f"a key elsewhere by {name}", self.signed(header, self.claims, stranger)
        extra = {"typ": "at+jwt", "kid": self.header["kid"]}
        yield "rsa", jwt.encode(self.claims, new_rsa_key(65537, 2048), "RS256", extra)
        yield "elliptic", jwt.encode(self.claims, new_ec_key(SECP256R1()), "ES256", extra)

    def _headers(self) -> list[dict[str, Any]]:
        return [
            {"typ": "JWT"}, {"typ": None}, {"typ": "rt+jwt"}, {"typ": "dpop+jwt"}, {"typ": 1}, {"alg": "HS256"},
            {"alg": "RS256"}, {"alg": None}, {"alg": "ES256"}, {"kid": "unknown"}, {"kid": None}, {"kid": ""},
            {"kid": "../../keys"}, {"kid": ["a"]}, {"kid": {"a": 1}}, {"crit": ["exp"]},
            {"crit": ["b64"], "b64": False},
        ]  # fmt: skip

    def _claims(self) -> list[dict[str, Any]]:
        return [
            {"iss": "evil"}, {"iss": None}, {"iss": ["cohort", "evil"]}, {"aud": "other-api"}, {"aud": None},
            {"aud": []}, {"exp": self.now - 1}, {"exp": None}, {"exp": "never"}, {"exp": "9999999999x"},
            {"nbf": self.now + 3_600}, {"iat": self.now + 3_600}, {"iat": None}, {"sub": None}, {"sub": "gst_1"},
            {"sub": ""}, {"sub": 1}, {"sid": None}, {"roles": None}, {"roles": "admin"},
        ]  # fmt: skip

    def _mangled(self) -> Iterator[tuple[str, str]]:
        head, claims, signature = self.token.split(".")
        richer = encoded({**self.claims, "roles": ["customer", "seller", "admin"]})
        yield "edited roles", f"{head}.{richer}.{signature}"
        yield "edited subject", f"{head}.{encoded({**self.claims, 'sub': 'usr_' + '0' * 32})}.{signature}"
        yield "cut signature", f"{head}.{claims}.{signature[:-4]}"
        yield "no signature", f"{head}.{claims}"
        yield "four parts", f"{self.token}.{signature}"
        yield "refresh as access", self.refresh_token
        yield "not base64", f"{head}.%%%.{signature}"
        yield "words", "token"


@pytest.fixture(scope="session")
async def mutants(world: World) -> list[tuple[str, str]]:
    async with world.client() as client:
        signed_in = await register(client)
        refresh_token = client.cookies["cohort_refresh"]
    return list(Mint(world, signed_in["accessToken"], refresh_token).mutants())


async def test_there_are_sixty_mutants_or_more_and_the_original_is_good(world: World, mutants: list[tuple[str, str]]):
    assert len(mutants) >= 60
    assert len({token for _, token in mutants}) == len(mutants)
    async with world.client() as client:
        signed_in = await register(client)
        assert (await client.get("/auth/me", headers=bearer(signed_in))).status_code == 200
    assert await handshake(world, signed_in["accessToken"]) == "websocket.accept"


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_mutant_opens_a_route(world: World, mutants: list[tuple[str, str]], method: str, path: str):
    async with world.client() as client:
        for name, token in mutants:
            answer = await client.request(method, path, json={}, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, (name, answer.text)
            assert answer.json()["code"] == "unauthenticated"


async def test_no_mutant_opens_a_socket(world: World, mutants: list[tuple[str, str]]):
    for name, token in mutants:
        assert await handshake(world, token) == 401, name


async def handshake(world: World, token: str) -> str | int:
    """`websocket.accept`, or the status of the refusal."""
    said: list[Any] = []
    accepted = asyncio.Event()
    calls = iter([{"type": "websocket.connect"}])

    async def receive() -> Any:
        first = next(calls, None)
        if first is None:
            await accepted.wait()
            return {"type": "websocket.disconnect", "code": 1000}
        return first

    async def send(message: Any) -> None:
        said.append(message)
        accepted.set()

    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws", "path": "/chat/ws",
        "raw_path": b"/chat/ws", "query_string": b"", "root_path": "", "subprotocols": ["cohort.chat.v1"],
        "headers": [(b"host", b"shop.example"), (b"authorization", f"Bearer {token}".encode())], "state": {},
        "client": ("127.0.0.1", 1), "server": ("shop.example", 80), "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    async with asyncio.timeout(20):
        await world.app(scope, receive, send)
    first = said[0]
    return first["status"] if first["type"] == "websocket.http.response.start" else first["type"]


async def refreshed(world: World, refresh_token: str, csrf: str) -> httpx.Response:
    async with world.client() as client:
        cookie = f"cohort_refresh={refresh_token}; cohort_csrf={csrf}"
        return await client.post("/auth/refresh", headers={"Cookie": cookie, "X-CSRF-Token": csrf, "Origin": ORIGIN})


@pytest.mark.parametrize("_round", range(5))
async def test_of_fifty_simultaneous_refreshes_one_successor_lives(world: World, _round: int):
    async with world.client() as client:
        await register(client)
        used, csrf = client.cookies["cohort_refresh"], client.cookies["cohort_csrf"]
    answers = await asyncio.gather(*(refreshed(world, used, csrf) for _ in range(50)))
    winners = [answer for answer in answers if answer.status_code == 200]
    assert [answer.status_code for answer in answers].count(401) == 49
    successor = winners[0].cookies["cohort_refresh"]
    assert (await refreshed(world, successor, csrf)).status_code == 200


async def test_an_older_token_ends_the_family_in_the_database_although_the_answer_is_401(world: World):
    async with world.client() as client:
        signed_in = await register(client)
        oldest, csrf = client.cookies["cohort_refresh"], client.cookies["cohort_csrf"]
    second = (await refreshed(world, oldest, csrf)).cookies["cohort_refresh"]
    third = (await refreshed(world, second, csrf)).cookies["cohort_refresh"]
    assert (await refreshed(world, oldest, csrf)).status_code == 401
    session = await world.container.ground.mongo.database("auth")["sessions"].find_one({"_id": oldest.split(".")[0]})
    assert session is not None
    assert session["revoked_at"] is not None
    for token in (oldest, second, third):
        assert (await refreshed(world, token, csrf)).status_code == 401
    async with world.client() as client:
        assert (await client.get("/auth/me", headers=bearer(signed_in))).status_code == 401


Ask = Callable[[httpx.AsyncClient, str], Any]


async def guess(client: httpx.AsyncClient, email: str) -> httpx.Response:
    return await client.post("/auth/login", json={"email": email, "password": "a wrong guess"})


async def forgot(client: httpx.AsyncClient, email: str) -> httpx.Response:
    return await client.post("/auth/password/forgot", json={"email": email})


def told(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    body = orjson.loads(answer.content) if answer.content else {}
    body.pop("requestId", None)
    return answer.status_code, body


@pytest.mark.parametrize("ask", [guess, forgot])
async def test_known_and_unknown_accounts_get_the_same_answer(world: World, ask: Ask):
    async with world.client() as client:
        known = (await register(client))["email"]
    async with world.client() as client:
        assert told(await ask(client, known)) == told(await ask(client, f"{uuid.uuid4().hex}@example.com"))


@pytest.mark.full
@pytest.mark.parametrize("ask", [guess, forgot])
async def test_known_and_unknown_accounts_get_their_answer_in_the_same_time(world: World, ask: Ask):
    async with world.client() as client:
        known = [(await register(client))["email"] for _ in range(30)]
    times: dict[bool, list[float]] = {True: [], False: []}
    async with world.client() as client:
        for number in range(240):
            exists = number % 2 == 0
            email = known[number // 2 % 30] if exists else f"{uuid.uuid4().hex}@example.com"
            started = time.perf_counter()
            await ask(client, email)
            times[exists].append(time.perf_counter() - started)
    ratio = statistics.median(times[True]) / statistics.median(times[False])
    print(f"A7 {ask.__name__} n=240 ratio={ratio:.3f}")
    assert 0.9 <= ratio <= 1.1
