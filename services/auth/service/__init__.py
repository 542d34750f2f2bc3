"""Auth: accounts, sessions, addresses."""

import secrets
from collections.abc import Callable, Sequence

from services.auth.adapters.access_tokens import AccessTokens
from services.auth.adapters.passwords import PasswordHashing
from services.auth.adapters.revoked import RevokedSessions
from services.auth.repository import AuthRepository
from services.auth.service.accounts import Accounts
from services.auth.service.addresses import Addresses
from services.auth.service.limits import SignInLimits
from services.auth.service.sessions import Sessions
from services.contracts.auth import (
    Address,
    AddressIn,
    AddressPatch,
    AuthPort,
    Contact,
    Device,
    Login,
    ProfilePatch,
    Register,
    SeedUser,
    SignedIn,
    UserView,
)
from services.kit.clock import Clock
from services.kit.ids import Ids
from services.kit.outbox import Outbox
from services.kit.principal import Principal

__all__ = ["AuthService", "SignInLimits"]


class AuthService(AuthPort):
    """Who may come in, and how to reach them. Each use case lives in a file of this package.

    A refresh token that comes again after its successor was handed out ends the session. `race_grace_ms` moves that
    moment: within it the used token is refused and nothing else, so that two tabs do not log each other out.
    """

    def __init__(
        self,
        repository: AuthRepository,
        outbox: Outbox,
        *,
        tokens: AccessTokens,
        passwords: PasswordHashing,
        revoked: RevokedSessions,
        ids: Ids,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        login_limits: SignInLimits | None = None,
        register_limits: SignInLimits | None = None,
        session_days: int = 30,
        race_grace_ms: int = 0,
    ) -> None:
        self._sessions = Sessions(
            repository,
            tokens,
            passwords,
            revoked,
            ids=ids,
            clock=clock,
            random_bytes=random_bytes,
            limits=login_limits or SignInLimits(),
            session_days=session_days,
            race_grace_ms=race_grace_ms,
        )
        self._accounts = Accounts(
            repository,
            outbox,
            self._sessions,
            passwords,
            ids=ids,
            clock=clock,
            limits=register_limits or SignInLimits(),
        )
        self._addresses = Addresses(repository, ids)

    async def register(self, command: Register, device: Device) -> SignedIn:
        return await self._accounts.register(command, device)

    async def login(self, command: Login, device: Device) -> SignedIn:
        return await self._sessions.login(command, device)

    async def refresh(self, refresh_token: str, device: Device) -> SignedIn:
        return await self._sessions.refresh(refresh_token, device)

    async def logout(self, refresh_token: str | None, who: Principal | None) -> None:
        await self._sessions.logout(refresh_token, who)

    async def is_live(self, session_id: str) -> bool:
        return await self._sessions.is_live(session_id)

    async def mirror_revocations(self) -> int:
        """Bring Redis' copy up to date after an outage or a restart of it; a loop calls this every few seconds.

        Returns how many revocations an access token could still collide with.
        """
        return await self._sessions.mirror_revocations()

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
