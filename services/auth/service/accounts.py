from collections.abc import Awaitable, Callable, Sequence

from pydantic import ValidationError

from services.auth.adapters.passwords import PasswordHashing
from services.auth.models import User, one_default, renamed, roles_for
from services.auth.repository import AuthRepository
from services.auth.service.account_mail import AccountMails
from services.auth.service.limits import SignInLimits
from services.auth.service.sessions import Sessions
from services.contracts.auth import (
    Contact,
    Device,
    EmailTaken,
    ProfilePatch,
    Register,
    SeedUser,
    SignedIn,
    UserView,
)
from services.contracts.events import UserCreated, UserUpdated
from services.kit.clock import Clock
from services.kit.errors import Forbidden, Invalid, NotFound
from services.kit.ids import Ids, seller_id_of
from services.kit.mongo import DuplicateKey
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal

Work = Callable[[Unit], Awaitable[None]]


class Accounts:
    """Making accounts, reading and changing one's own."""

    def __init__(
        self,
        repository: AuthRepository,
        outbox: Outbox,
        sessions: Sessions,
        passwords: PasswordHashing,
        mails: AccountMails,
        *,
        ids: Ids,
        clock: Clock,
        limits: SignInLimits,
    ) -> None:
        self._repository = repository
        self._outbox = outbox
        self._sessions = sessions
        self._passwords = passwords
        self._mails = mails
        self._ids = ids
        self._clock = clock
        self._limits = limits

    async def register(self, command: Register, device: Device) -> SignedIn:
        await self._limits.take(command.email, device, self._clock.now())
        user = await self._new_user(command, roles_for(command.role))
        session, token = self._sessions.open(user, device)

        async def work(unit: Unit) -> None:
            await self._add(user, unit)
            await self._mails.ask("verify_email", user.user_id, unit)
            await self._repository.add_session(session, unit)

        await self._unique(work)
        return self._sessions.answer(user, token)

    async def add(self, user: User) -> None:
        """Keep an account that came from elsewhere. Raises EmailTaken."""

        async def work(unit: Unit) -> None:
            await self._add(user, unit)
            if not user.email_verified:
                await self._mails.ask("verify_email", user.user_id, unit)

        await self._unique(work)

    async def create_admin(self, email: str, password: str, name: str) -> UserView:
        try:
            command = Register(name=name, email=email, password=password)
        except ValidationError as error:
            wrong = error.errors()[0]
            raise Invalid(str(wrong["msg"]), field=str(wrong["loc"][0])) from error
        user = await self._new_user(command, ("customer", "admin"))

        async def work(unit: Unit) -> None:
            await self._add(user, unit)

        await self._unique(work)
        return user.view()

    async def _new_user(self, command: Register, roles: tuple[str, ...]) -> User:
        return User(
            user_id=self._ids.new("usr"),
            name=command.name,
            email=command.email,
            roles=roles,
            password_hash=await self._passwords.hash(command.password),
            created_at=self._clock.now(),
        )

    async def _add(self, user: User, unit: Unit) -> None:
        await self._repository.add_user(user, unit)
        seller_id = seller_id_of(user.user_id) if "seller" in user.roles else None
        created = UserCreated(user_id=user.user_id, roles=user.roles, seller_id=seller_id)
        unit.record(created, sequence=user.version)

    async def _unique(self, work: Work) -> None:
        try:
            await self._outbox.transact(work)
        except DuplicateKey as error:
            raise EmailTaken("an account with this e-mail exists; log in instead", field="email") from error

    async def me(self, who: Principal) -> UserView:
        return (await self._mine(who)).view()

    async def update_me(self, who: Principal, patch: ProfilePatch) -> UserView:
        async def work(unit: Unit) -> User:
            user = renamed(await self._mine(who, unit), patch.name)
            await self._repository.save_profile(user, unit)
            unit.record(UserUpdated(user_id=user.user_id, roles=user.roles), sequence=user.version)
            return user

        return (await self._outbox.transact(work)).view()

    async def _mine(self, who: Principal, unit: Unit | None = None) -> User:
        user = await self._repository.find_user(who.user_id, unit)
        if user is None or user.deleted_at:
            raise NotFound.of("account")
        return user

    async def contact(self, who: Principal, user_id: str) -> Contact:
        if not who.service:
            raise Forbidden("contacts are for the marketplace's own services")
        user = await self._repository.find_user(user_id)
        if user is None or user.deleted_at:
            raise NotFound.of("account")
        return user.contact()

    async def find(self, who: Principal, email: str) -> UserView | None:
        if not who.service:
            raise Forbidden("accounts are looked up by the marketplace's own services")
        user = await self._repository.find_user_by_email(email)
        return None if user is None else user.view()

    async def backfill(self, users: Sequence[SeedUser], password: str) -> int:
        shared_hash = await self._passwords.hash(password)
        return await self._repository.add_missing_users([_seeded(user, shared_hash) for user in users])


def _seeded(user: SeedUser, password_hash: str) -> User:
    return User(
        user_id=user.user_id,
        name=user.name,
        email=user.email,
        roles=user.roles,
        password_hash=password_hash,
        created_at=user.created_at,
        addresses=one_default(user.addresses),
    )
