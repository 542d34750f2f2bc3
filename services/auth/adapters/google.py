"""Sign-in by Google: OpenID Connect with the authorization code, PKCE and a nonce."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.contracts.auth import GoogleRefused
from services.kit.clock import Clock
from services.kit.errors import Unavailable
from services.kit.log import get_logger

log = get_logger("auth")

GOOGLE = "https://accounts.google.com"
_LEEWAY_SECONDS = 60


@dataclass(frozen=True)
class GoogleAccount:
    """What Google vouches for. `subject` never changes; the e-mail is the user's only if it is verified."""

    subject: str
    email: str
    email_verified: bool
    name: str


class GoogleSignIn:
    """One registered client. `issuer` may be any OpenID provider that signs with RS256 or ES256.

    Each method raises Unavailable when the provider does not answer.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str | None,
        *,
        redirect_uri: str,
        clock: Clock,
        issuer: str = GOOGLE,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._issuer = issuer.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._provider: Mapping[str, Any] | None = None

    async def url(self, *, state: str, nonce: str, code_verifier: str) -> str:
        """Where the browser goes to say yes."""
        async with self._client() as client:
            provider = await self._discover(client)
            url, _ = client.create_authorization_url(
                provider["authorization_endpoint"], state=state, code_verifier=code_verifier, nonce=nonce
            )
        return str(url)

    async def account(self, code: str, *, nonce: str, code_verifier: str) -> GoogleAccount:
        """Trade the code and check the identity token. Raises GoogleRefused."""
        async with self._client() as client:
            provider = await self._discover(client)
            try:
                token = await client.fetch_token(provider["token_endpoint"], code=code, code_verifier=code_verifier)
            except AuthlibBaseError as error:
                raise _refused(error) from error
            except (httpx2.HTTPError, ValueError) as error:
                raise _away(error) from error
            keys = await self._json(client, provider["jwks_uri"])
        claims = self._claims(str(token.get("id_token", "")), keys, nonce)
        return GoogleAccount(
            subject=str(claims["sub"]),
            email=str(claims["email"]),
            email_verified=claims.get("email_verified") is True,
            name=str(claims.get("name") or claims["email"].partition("@")[0]),
        )

    def _client(self) -> Any:
        method = "client_secret_post" if self._client_secret else "none"
        return AsyncOAuth2Client(
            self._client_id, self._client_secret, scope="openid email profile", redirect_uri=self._redirect_uri,
            token_endpoint_auth_method=method, code_challenge_method="S256", timeout=self._timeout_seconds,
        )  # fmt: skip

    async def _discover(self, client: Any) -> Mapping[str, Any]:
        if self._provider is None:
            found = await self._json(client, f"{self._issuer}/.well-known/openid-configuration")
            if found.get("issuer") != self._issuer:
                raise _away(ValueError("the provider names another issuer"))
            self._provider = found
        return self._provider

    async def _json(self, client: Any, url: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await client.request("GET", url, withhold_token=True)
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, TimeoutError, ValueError) as error:
            raise _away(error) from error
        return found

    def _claims(self, id_token: str, keys: Any, nonce: str) -> Mapping[str, Any]:
        """Signature, issuer, audience, authorised party, times and nonce (OpenID Connect Core 3.1.3.7)."""
        wanted = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()), leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer}, aud={"essential": True, "value": self._client_id},
            sub={"essential": True}, exp={"essential": True}, iat={"essential": True},
            nonce={"essential": True, "value": nonce}, email={"essential": True},
        )  # fmt: skip
        try:
            token = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=["RS256", "ES256"])
            wanted.validate(token.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _refused(error) from error
        if token.claims.get("azp", self._client_id) != self._client_id:
            raise _refused(ValueError("azp"))
        return token.claims


def _refused(error: Exception) -> GoogleRefused:
    log.warning("google_refused", error=type(error).__name__)
    return GoogleRefused("Google's answer does not hold; start again at /auth/google")


def _away(error: Exception) -> Unavailable:
    log.warning("google_away", error=repr(error)[:200])
    return Unavailable("the sign-in provider does not answer; try again shortly", retry_after=5)
