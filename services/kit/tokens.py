"""Access tokens: EdDSA JWTs that every service checks locally.

Only `typ: at+jwt`, the EdDSA algorithm and our own key ids are accepted (RFC 8725, RFC 9068).
"""

from collections.abc import Callable, Mapping
from typing import Any

import jwt

from services.kit.clock import Clock
from services.kit.errors import Unauthenticated
from services.kit.principal import Principal

ISSUER = "cohort"
AUDIENCE = "cohort-api"
ACCESS_TYPE = "at+jwt"


class TokenVerifier:
    """Turns a bearer token into a Principal. `keys` gives the public keys by key id (fresh after a rotation)."""

    def __init__(
        self, keys: Callable[[], Mapping[str, Any]], clock: Clock, issuer: str = ISSUER, audience: str = AUDIENCE
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str, request_id: str | None = None) -> Principal:
        """Raises Unauthenticated; the message never says which check failed."""
        try:
            claims = self._claims(token)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
            raise Unauthenticated("the access token is missing, expired or not ours; log in again") from error
        return Principal(
            user_id=claims["sub"],
            roles=frozenset(claims["roles"]),
            session_id=claims["sid"],
            name=claims.get("name"),
            token=token,
            request_id=request_id,
        )

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != ACCESS_TYPE or header.get("alg") != "EdDSA":
            raise ValueError("not an access token")
        key = self._keys()[header["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["EdDSA"],
            audience=self._audience,
            issuer=self._issuer,
            options={
                "require": ["exp", "iat", "sub", "sid"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        now = self._clock.now().timestamp()
        if not claims["iat"] - 60 <= now < claims["exp"] or claims.get("nbf", 0) > now + 60:
            raise ValueError("not valid now")
        if not isinstance(claims["roles"], list) or not str(claims["sub"]).startswith("usr_"):
            raise ValueError("malformed claims")
        return claims
