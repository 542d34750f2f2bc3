import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from services.auth.adapters.google import GoogleAccount, GoogleSignIn
from services.auth.models import User
from services.auth.repository import AuthRepository
from services.auth.service.accounts import Accounts
from services.auth.service.revocation import Revocation
from services.auth.service.sessions import Sessions
from services.contracts.auth import Device, EmailTaken, GoogleNotConfigured, GoogleRefused, SignedIn
from services.kit.clock import Clock
from services.kit.ids import Ids
from services.kit.outbox import Outbox, Unit
from services.kit.text import plain

FLOW = timedelta(minutes=10)


class GoogleLogin:
    """Accounts entered by Google.

    A known subject enters its account. An e-mail that Google calls verified links to the account that has it; if that
    account never proved the e-mail, its password and sessions end, since somebody else may have registered it ahead.
    Otherwise a new account without a password is made.
    """

    def __init__(
        self,
        repository: AuthRepository,
        outbox: Outbox,
        google: GoogleSignIn | None,
        *,
        sessions: Sessions,
        accounts: Accounts,
        revocation: Revocation,
        ids: Ids,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._repository = repository
        self._outbox = outbox
        self._google = google
        self._sessions = sessions
        self._accounts = accounts
        self._revocation = revocation
        self._ids = ids
        self._clock = clock
        self._random_bytes = random_bytes

    async def url(self, browser: str) -> str:
        google = self._configured()
        state, nonce, verifier = (self._secret() for _ in range(3))
        flow = {
            "browser_hash": _hashed(browser), "nonce": nonce, "code_verifier": verifier,
            "expires_at": self._clock.now() + FLOW,
        }  # fmt: skip
        url = await google.url(state=state, nonce=nonce, code_verifier=verifier)
        await self._repository.add_google_flow(_hashed(state), flow)
        return url

    async def login(self, browser: str, state: str, code: str | None, device: Device) -> SignedIn:
        google = self._configured()
        flow = await self._repository.take_google_flow(_hashed(state))
        if flow is None or flow["expires_at"] <= self._clock.now():
            raise GoogleRefused("this sign-in took too long or was used; start again at /auth/google")
        if not hmac.compare_digest(flow["browser_hash"], _hashed(browser)):
            raise GoogleRefused("this sign-in was begun in another browser; start again at /auth/google")
        if code is None:
            raise GoogleRefused("the sign-in was cancelled")
        account = await google.account(code, nonce=flow["nonce"], code_verifier=flow["code_verifier"])
        return await self._sessions.enter(await self._user(account), device)

    async def _user(self, account: GoogleAccount) -> User:
        known = await self._repository.find_user_by_google(account.subject)
        if known is not None:
            return known
        same_email = await self._repository.find_user_by_email(account.email)
        if same_email is None:
            return await self._new(account)
        if not account.email_verified or same_email.google_subject:
            raise EmailTaken("an account with this e-mail exists; log in with its password", field="email")
        return await self._link(same_email, account)

    async def _new(self, account: GoogleAccount) -> User:
        user = User(
            user_id=self._ids.new("usr"), name=plain(account.name)[:200] or "Shopper", email=account.email,
            roles=("customer",), password_hash=None, created_at=self._clock.now(),
            email_verified=account.email_verified, google_subject=account.subject,
        )  # fmt: skip
        await self._accounts.add(user)
        return user

    async def _link(self, user: User, account: GoogleAccount) -> User:
        async def work(unit: Unit) -> tuple[User, list[str]]:
            now = await self._repository.find_user(user.user_id, unit) or user
            linked = replace(now, google_subject=account.subject, email_verified=True, version=now.version + 1)
            if now.email_verified:
                await self._repository.save_user(linked, unit)
                return linked, []
            linked = replace(linked, password_hash=None, sign_in_epoch=now.sign_in_epoch + 1)
            await self._repository.save_user(linked, unit)
            return linked, await self._revocation.end_all_within(unit, user.user_id, "e-mail proved by its owner")

        linked, ended = await self._outbox.transact(work)
        await self._revocation.copy(ended)
        return linked

    def _configured(self) -> GoogleSignIn:
        if self._google is None:
            raise GoogleNotConfigured("sign-in by Google is not set up here")
        return self._google

    def _secret(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(32)).rstrip(b"=").decode()


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
