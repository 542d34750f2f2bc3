import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from services.auth.adapters.access_tokens import AccessTokens
from services.auth.adapters.passwords import PasswordHashing
from services.auth.models import RefreshToken, Session, User
from services.auth.repository import AuthRepository
from services.auth.service.limits import PasswordCheck, SignInLimits
from services.auth.service.revocation import Revocation
from services.contracts.auth import AccountDisabled, BadCredentials, Device, Login, RefreshRefused, SignedIn
from services.kit.clock import Clock
from services.kit.ids import Ids
from services.kit.log import get_logger
from services.kit.principal import Principal

log = get_logger("auth")


class Sessions:
    """Login, rotation, logout."""

    def __init__(
        self,
        repository: AuthRepository,
        tokens: AccessTokens,
        passwords: PasswordHashing,
        revocation: Revocation,
        *,
        check: PasswordCheck,
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
        self._revocation = revocation
        self._check = check
        self._ids = ids
        self._clock = clock
        self._random_bytes = random_bytes
        self._limits = limits
        self._lifetime = timedelta(days=session_days)
        self._race_grace = timedelta(milliseconds=race_grace_ms)

    async def login(self, command: Login, device: Device) -> SignedIn:
        await self._limits.take(command.email, device, self._clock.now())
        user = await self._repository.find_user_by_email(command.email)
        right = await self._check.right(command.email, user.password_hash if user else None, command.password)
        if user is None or not right:
            raise _wrong()
        await self._renew_hash(user, command.password)
        return await self.enter(user, device)

    async def _renew_hash(self, user: User, password: str) -> None:
        if user.password_hash and self._passwords.outdated(user.password_hash):
            fresh = await self._passwords.hash(password)
            await self._repository.save_password_hash(user.user_id, user.password_hash, fresh)

    async def enter(self, user: User, device: Device) -> SignedIn:
        """A new session for an account that has proved itself. Raises AccountDisabled.

        What changed while the proof was checked (a new password, the account closed) wins.
        """
        if user.disabled_at:
            raise AccountDisabled("this account is closed; write to the shop's support")
        session, token = self.open(user, device)
        await self._repository.add_session(session)
        now = await self._repository.find_user(user.user_id)
        if now is None or now.sign_in_epoch != user.sign_in_epoch:
            await self._revocation.end(session.session_id, "overtaken by a change of the account")
            raise _wrong()
        return self.answer(user, token)

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
        if user is None or user.disabled_at:
            raise _refused()
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
        await self._revocation.end(session.session_id, "refresh token used twice")

    async def logout(self, refresh_token: str | None, who: Principal | None) -> None:
        session_ids = {who.session_id} if who and who.session_id else set()
        token = RefreshToken.parse(refresh_token) if refresh_token else None
        session = await self._repository.find_session(token.session_id) if token else None
        if token and session and _same_family(session, token):
            session_ids.add(session.session_id)
        for session_id in sorted(session_ids):
            await self._revocation.end(session_id, "logout")

    def _secret(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(32)).rstrip(b"=").decode()


def _hashed(secret: str) -> str:
    """The secret has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _same_family(session: Session, token: RefreshToken) -> bool:
    return hmac.compare_digest(session.family_hash, _hashed(token.family))


def _wrong() -> BadCredentials:
    return BadCredentials("e-mail or password is wrong")


def _refused() -> RefreshRefused:
    return RefreshRefused("the session has ended or this refresh token was used before; log in again")
