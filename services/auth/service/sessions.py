import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from services.auth.adapters.access_tokens import AccessTokens
from services.auth.adapters.passwords import PasswordHashing
from services.auth.adapters.revoked import RevokedSessions
from services.auth.models import RefreshToken, Session, User
from services.auth.repository import AuthRepository
from services.auth.service.limits import SignInLimits
from services.contracts.auth import BadCredentials, Device, Login, RefreshRefused, SignedIn
from services.kit.clock import Clock
from services.kit.ids import Ids
from services.kit.log import get_logger
from services.kit.principal import Principal

log = get_logger("auth")


class Sessions:
    """Login, rotation, revocation."""

    def __init__(
        self,
        repository: AuthRepository,
        tokens: AccessTokens,
        passwords: PasswordHashing,
        revoked: RevokedSessions,
        *,
        ids: Ids,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        limits: SignInLimits,
        session_days: int,
        race_grace_ms: int,
    ) -> None:
        self._repository = repository
        self._tokens = tokens
        self._passwords = passwords
        self._revoked = revoked
        self._ids = ids
        self._clock = clock
        self._random_bytes = random_bytes
        self._limits = limits
        self._lifetime = timedelta(days=session_days)
        self._race_grace = timedelta(milliseconds=race_grace_ms)

    async def login(self, command: Login, device: Device) -> SignedIn:
        await self._limits.take(command.email, device, self._clock.now())
        user = await self._repository.find_user_by_email(command.email)
        right = await self._passwords.matches(user.password_hash if user else None, command.password)
        if user is None or not right:
            raise BadCredentials("e-mail or password is wrong")
        await self._renew_hash(user, command.password)
        session, token = self.open(user, device)
        await self._repository.add_session(session)
        return self.answer(user, token)

    async def _renew_hash(self, user: User, password: str) -> None:
        if self._passwords.outdated(user.password_hash):
            fresh = await self._passwords.hash(password)
            await self._repository.save_password_hash(user.user_id, user.password_hash, fresh)

    def open(self, user: User, device: Device) -> tuple[Session, RefreshToken]:
        """A session that is not kept yet, and its first refresh token."""
        now = self._clock.now()
        token = RefreshToken(self._ids.new("ses"), self._secret(), self._secret())
        session = Session(
            session_id=token.session_id,
            user_id=user.user_id,
            family_hash=_hashed(token.family),
            secret_hash=_hashed(token.secret),
            device=device,
            created_at=now,
            expires_at=now + self._lifetime,
        )
        return session, token

    def answer(self, user: User, token: RefreshToken) -> SignedIn:
        return SignedIn(
            user=user.view(),
            access_token=self._tokens.issue(user, token.session_id),
            expires_in=self._tokens.lifetime_seconds,
            refresh_token=str(token),
        )

    async def refresh(self, refresh_token: str, device: Device) -> SignedIn:
        """The first to come gets the successor. Whoever brings a used token later ends the whole family."""
        arrived_at = self._clock.now()
        token = RefreshToken.parse(refresh_token)
        session = await self._repository.find_session(token.session_id) if token else None
        if token is None or session is None or not _same_family(session, token):
            raise _refused()
        fresh = RefreshToken(token.session_id, token.family, self._secret())
        used, new = _hashed(token.secret), _hashed(fresh.secret)
        if not await self._repository.rotate(token.session_id, used, new, device=device, now=arrived_at):
            await self._suspect(token, arrived_at)
            raise _refused()
        user = await self._repository.find_user(session.user_id)
        if user is None:
            raise _refused()
        await self._repository.hand_over(token.session_id, new, self._clock.now())
        return self.answer(user, fresh)

    async def _suspect(self, token: RefreshToken, arrived_at: datetime) -> None:
        """Revoke for a token that was used before; it is in the database before anyone hears of it."""
        session = await self._repository.find_session(token.session_id)
        used = _hashed(token.secret)
        if session is None or session.revoked_at or session.secret_hash == used:
            return
        if session.raced(used, arrived_at, self._race_grace):
            return
        log.warning("refresh_reused", session=session.session_id, user=session.user_id)
        await self._revoke(session.session_id, "refresh token used twice")

    async def logout(self, refresh_token: str | None, who: Principal | None) -> None:
        session_ids = {who.session_id} if who and who.session_id else set()
        token = RefreshToken.parse(refresh_token) if refresh_token else None
        session = await self._repository.find_session(token.session_id) if token else None
        if token and session and _same_family(session, token):
            session_ids.add(session.session_id)
        for session_id in sorted(session_ids):
            await self._revoke(session_id, "logout")

    async def _revoke(self, session_id: str, reason: str) -> None:
        await self._repository.revoke(session_id, reason, self._clock.now())
        await self._revoked.add([session_id])

    async def is_live(self, session_id: str) -> bool:
        revoked = await self._revoked.knows(session_id)
        if revoked is not None:
            return not revoked
        session = await self._repository.find_session(session_id)
        return session is not None and session.revoked_at is None

    async def mirror_revocations(self) -> int:
        since = self._clock.now() - timedelta(seconds=self._revoked.keep_seconds)
        session_ids = await self._repository.revoked_since(since)
        if session_ids:
            await self._revoked.add(session_ids)
        return len(session_ids)

    def _secret(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(32)).rstrip(b"=").decode()


def _hashed(secret: str) -> str:
    """The secret has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _same_family(session: Session, token: RefreshToken) -> bool:
    return hmac.compare_digest(session.family_hash, _hashed(token.family))


def _refused() -> RefreshRefused:
    return RefreshRefused("the session has ended or this refresh token was used before; log in again")
