"""Auth: accounts, sessions, addresses."""

import secrets
from collections.abc import Callable, Sequence

from services.auth.adapters.access_tokens import AccessTokens
from services.auth.adapters.google import GoogleSignIn
from services.auth.adapters.lockout import LoginLockout
from services.auth.adapters.passwords import PasswordHashing
from services.auth.adapters.revoked import RevokedSessions
from services.auth.repository import AuthRepository
from services.auth.service.account_mail import AccountMails
from services.auth.service.accounts import Accounts
from services.auth.service.addresses import Addresses
from services.auth.service.credentials import Credentials
from services.auth.service.google import GoogleLogin
from services.auth.service.leaving import Leaving
from services.auth.service.limits import PasswordCheck, SignInLimits
from services.auth.service.operators import Operators
from services.auth.service.revocation import Revocation
from services.auth.service.sessions import Sessions
from services.contracts.auth import (
    AccountExport,
    Address,
    AddressIn,
    AddressPatch,
    AuthPort,
    ChangePassword,
    Contact,
    DeleteAccount,
    Device,
    ForgotPassword,
    Login,
    ManagedUser,
    ProfilePatch,
    Register,
    ResetPassword,
    SeedUser,
    SessionView,
    SignedIn,
    UserView,
    VerifyEmail,
)
from services.contracts.notifications import AccountMailPort
from services.kit.clock import Clock
from services.kit.ids import Ids
from services.kit.outbox import Outbox
from services.kit.principal import Principal
from services.kit.wire import Page

__all__ = ["AuthService", "SignInLimits"]


class AuthService(AuthPort):
    """Who may come in, and how to reach them. Each use case lives in a file of this package.

    A refresh token that comes again ends its session, except the last one within `race_grace_ms` of its rotation: that
    is refused and nothing else, so that two tabs do not log each other out.
    """

    def __init__(
        self,
        repository: AuthRepository,
        outbox: Outbox,
        *,
        tokens: AccessTokens,
        passwords: PasswordHashing,
        revoked: RevokedSessions,
        mail: AccountMailPort,
        ids: Ids,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        login_limits: SignInLimits | None = None,
        register_limits: SignInLimits | None = None,
        reset_limits: SignInLimits | None = None,
        lockout: LoginLockout | None = None,
        google: GoogleSignIn | None = None,
        pages: str = "http://127.0.0.1:8000/account",
        session_days: int = 30,
        race_grace_ms: int = 10_000,
        reset_minutes: int = 30,
        verify_days: int = 7,
    ) -> None:
        self._revocation = Revocation(repository, outbox, revoked, clock=clock)
        self._mails = AccountMails(
            repository, mail, ids=ids, clock=clock, pages=pages, reset_minutes=reset_minutes, verify_days=verify_days
        )
        check = PasswordCheck(passwords, lockout, clock)
        self._sessions = Sessions(
            repository, tokens, passwords, self._revocation, check=check, ids=ids, clock=clock,
            random_bytes=random_bytes, limits=login_limits or SignInLimits(), session_days=session_days,
            race_grace_ms=race_grace_ms,
        )  # fmt: skip
        self._accounts = Accounts(
            repository, outbox, self._sessions, passwords, self._mails, ids=ids, clock=clock,
            limits=register_limits or SignInLimits(),
        )  # fmt: skip
        self._credentials = Credentials(
            repository, outbox, self._revocation, self._mails, hashing=passwords, check=check,
            limits=reset_limits or SignInLimits(), clock=clock,
        )  # fmt: skip
        self._leaving = Leaving(repository, outbox, self._revocation, self._credentials, clock=clock)
        self._operators = Operators(repository, outbox, self._revocation, clock=clock)
        self._google = GoogleLogin(
            repository, outbox, google, sessions=self._sessions, accounts=self._accounts,
            revocation=self._revocation, ids=ids, clock=clock, random_bytes=random_bytes,
        )  # fmt: skip
        self._addresses = Addresses(repository, ids)

    async def register(self, command: Register, device: Device) -> SignedIn:
        return await self._accounts.register(command, device)

    async def login(self, command: Login, device: Device) -> SignedIn:
        return await self._sessions.login(command, device)

    async def refresh(self, refresh_token: str, device: Device) -> SignedIn:
        return await self._sessions.refresh(refresh_token, device)

    async def logout(self, refresh_token: str | None, who: Principal | None) -> None:
        await self._sessions.logout(refresh_token, who)

    async def logout_all(self, who: Principal) -> None:
        await self._revocation.end_all(who)

    async def sessions(self, who: Principal) -> list[SessionView]:
        return await self._revocation.mine(who)

    async def end_session(self, who: Principal, session_id: str) -> None:
        await self._revocation.end_mine(who, session_id)

    async def change_password(self, who: Principal, command: ChangePassword) -> None:
        await self._credentials.change(who, command)

    async def forgot_password(self, command: ForgotPassword, device: Device) -> None:
        await self._credentials.forgot(command, device)

    async def reset_password(self, command: ResetPassword) -> None:
        await self._credentials.reset(command)

    async def verify_email(self, command: VerifyEmail) -> None:
        await self._credentials.verify_email(command)

    async def send_requested_mail(self) -> int:
        """Hand over mail about accounts; a loop calls this every second. Returns how many requests were done."""
        return await self._mails.send_requested()

    async def export(self, who: Principal) -> AccountExport:
        return await self._leaving.export(who)

    async def delete_account(self, who: Principal, command: DeleteAccount) -> None:
        await self._leaving.delete(who, command)

    async def google_url(self, browser: str) -> str:
        return await self._google.url(browser)

    async def google_login(self, browser: str, state: str, code: str | None, device: Device) -> SignedIn:
        return await self._google.login(browser, state, code, device)

    async def users(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[ManagedUser]:
        return await self._operators.users(who, limit, cursor)

    async def disable_user(self, who: Principal, user_id: str) -> ManagedUser:
        return await self._operators.disable(who, user_id)

    async def enable_user(self, who: Principal, user_id: str) -> ManagedUser:
        return await self._operators.enable(who, user_id)

    async def is_live(self, session_id: str) -> bool:
        return await self._revocation.is_live(session_id)

    async def mirror_revocations(self) -> int:
        """Bring Redis' copy up to date after an outage or a restart of it; a loop calls this every few seconds.

        Returns how many revocations an access token could still collide with.
        """
        return await self._revocation.mirror()

    async def me(self, who: Principal) -> UserView:
        return await self._accounts.me(who)

    async def update_me(self, who: Principal, patch: ProfilePatch) -> UserView:
        return await self._accounts.update_me(who, patch)

    async def contact(self, who: Principal, user_id: str) -> Contact:
        return await self._accounts.contact(who, user_id)

    async def find_user(self, who: Principal, email: str) -> UserView | None:
        """For the marketplace itself (`who.service`): the account of an e-mail address. Raises Forbidden."""
        return await self._accounts.find(who, email)

    async def create_admin(self, email: str, password: str, name: str) -> UserView:
        """For the command line. Raises Invalid, EmailTaken."""
        return await self._accounts.create_admin(email, password, name)

    async def backfill(self, users: Sequence[SeedUser], password: str) -> int:
        """Keep demo accounts as they are, all with this password, without events; repeatable. How many were new."""
        return await self._accounts.backfill(users, password)

    async def addresses(self, who: Principal) -> list[Address]:
        return await self._addresses.mine(who)

    async def address(self, who: Principal, address_id: str) -> Address:
        return await self._addresses.get(who, address_id)

    async def add_address(self, who: Principal, address: AddressIn, key: str | None = None) -> Address:
        return await self._addresses.add(who, address, key)

    async def update_address(self, who: Principal, address_id: str, patch: AddressPatch) -> Address:
        return await self._addresses.update(who, address_id, patch)

    async def delete_address(self, who: Principal, address_id: str) -> None:
        await self._addresses.delete(who, address_id)
