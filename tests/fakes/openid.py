"""An OpenID provider on loopback, as strict with its clients as Google: PKCE, single-use codes, RS256 and JWKS."""

import asyncio
import base64
import hashlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse


@dataclass
class Provider:
    """`person` is who says yes at the provider; `forge` may spoil the claims or the key of the identity token."""

    url: str = ""
    client_id: str = "cohort-client"
    client_secret: str = "cohort-secret"
    now: Callable[[], float] = lambda: 0.0
    person: dict[str, Any] = field(default_factory=dict)
    forge: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    key: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    signing_key: RSAPrivateKey | None = None
    algorithm: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    exchanges: int = 0

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(self.now())
        claims = {
            "iss": self.url, "aud": self.client_id, "azp": self.client_id, "iat": now, "exp": now + 3600,
            "nonce": asked["nonce"], **self.person,
        }  # fmt: skip
        key: Any = "k" * 32 if self.algorithm == "HS256" else (self.signing_key or self.key)
        return jwt.encode(self.forge(claims), key, self.algorithm, {"kid": "rsa-1"})

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def discovery() -> dict[str, Any]:
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
            }

        @app.get("/jwks")
        async def jwks() -> dict[str, Any]:
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return {"keys": [{**public, "kid": "rsa-1", "use": "sig", "alg": "RS256"}]}

        @app.get("/authorize")
        async def authorize(request: Request) -> RedirectResponse:
            asked = dict(request.query_params)
            assert asked["code_challenge_method"] == "S256"
            assert asked["client_id"] == self.client_id
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            return RedirectResponse(f"{asked['redirect_uri']}?{back}")

        @app.post("/token")
        async def token(request: Request) -> JSONResponse:
            self.exchanges += 1
            sent = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
            asked = self.codes.pop(sent.get("code", ""), None)
            proof = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
            known = (sent.get("client_id"), sent.get("client_secret")) == (self.client_id, self.client_secret)
            if asked is None or challenge != asked["code_challenge"] or not known:
                return JSONResponse({"error": "invalid_grant"}, 400)
            answer = {"access_token": "at", "token_type": "Bearer", "expires_in": 3600}
            return JSONResponse({**answer, "id_token": self.id_token(asked)})

        return app


@asynccontextmanager
async def running(provider: Provider) -> AsyncIterator[Provider]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        provider.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(provider.app(), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listening]))
        while not server.started:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
        try:
            yield provider
        finally:
            server.should_exit = True
            await task
