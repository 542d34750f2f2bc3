"""Access tokens as services/kit/tokens.py accepts them."""

import jwt

from services.auth.adapters.keys import KeyRing
from services.auth.models import User
from services.kit.clock import Clock
from services.kit.tokens import ACCESS_TYPE, AUDIENCE, ISSUER


class AccessTokens:
    """Signs with the newest key of the ring."""

    def __init__(
        self,
        keys: KeyRing,
        clock: Clock,
        *,
        lifetime_minutes: int = 15,
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
    ) -> None:
        self.lifetime_seconds = lifetime_minutes * 60
        self._keys = keys
        self._clock = clock
        self._issuer = issuer
        self._audience = audience

    def issue(self, user: User, session_id: str) -> str:
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user.user_id,
            "sid": session_id,
            "roles": list(user.roles),
            "name": user.name,
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime_seconds,
        }
        headers = {"typ": ACCESS_TYPE, "kid": self._keys.signing_id}
        return jwt.encode(claims, self._keys.signing_key, algorithm="EdDSA", headers=headers)
