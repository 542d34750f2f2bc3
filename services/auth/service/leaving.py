from datetime import timedelta

from services.auth.models import User, anonymous
from services.auth.repository import AuthRepository
from services.auth.service.credentials import Credentials
from services.auth.service.revocation import Revocation
from services.contracts.auth import AccountExport, DeleteAccount, FreshLoginRequired
from services.contracts.events import UserUpdated
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal

FRESH_LOGIN = timedelta(minutes=10)


class Leaving:
    """Taking one's data along, and leaving nothing of them behind."""

    def __init__(
        self,
        repository: AuthRepository,
        outbox: Outbox,
        revocation: Revocation,
        credentials: Credentials,
        *,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._outbox = outbox
        self._revocation = revocation
        self._credentials = credentials
        self._clock = clock

    async def export(self, who: Principal) -> AccountExport:
        user = await self._account(who)
        return AccountExport(
            account=user.managed_view(),
            addresses=list(user.addresses),
            sessions=await self._revocation.mine(who),
        )

    async def delete(self, who: Principal, command: DeleteAccount) -> None:
        await self._confirm(who, command)

        async def work(unit: Unit) -> list[str]:
            user = anonymous(await self._account(who, unit), self._clock.now())
            ended = await self._revocation.end_all_within(unit, user.user_id, "account deleted")
            await self._repository.forget_devices(ended, unit)
            await self._repository.save_user(user, unit)
            unit.record(UserUpdated(user_id=user.user_id, deleted=True), sequence=user.version)
            return ended

        await self._revocation.copy(await self._outbox.transact(work))

    async def _confirm(self, who: Principal, command: DeleteAccount) -> None:
        user = await self._account(who)
        if user.password_hash or command.password:
            await self._credentials.confirmed(who, command.password or "")
            return
        session = await self._repository.find_session(who.session_id or "")
        if session is None or session.created_at < self._clock.now() - FRESH_LOGIN:
            raise FreshLoginRequired("log in again, then repeat this within ten minutes")

    async def _account(self, who: Principal, unit: Unit | None = None) -> User:
        user = await self._repository.find_user(who.user_id, unit)
        if user is None or user.deleted_at:
            raise NotFound.of("account")
        return user
