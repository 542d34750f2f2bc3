from dataclasses import replace

from services.auth.adapters.passwords import PasswordHashing
from services.auth.models import User, with_password
from services.auth.repository import AuthRepository
from services.auth.service.account_mail import AccountMails
from services.auth.service.limits import PasswordCheck, SignInLimits
from services.auth.service.revocation import Revocation
from services.contracts.auth import (
    ChangePassword,
    Device,
    ForgotPassword,
    ResetPassword,
    VerifyEmail,
    WrongPassword,
)
from services.kit.clock import Clock
from services.kit.errors import NotFound
from services.kit.outbox import Outbox, Unit
from services.kit.principal import Principal


class Credentials:
    """Passwords changed and forgotten, e-mail addresses confirmed."""

    def __init__(
        self,
        repository: AuthRepository,
        outbox: Outbox,
        revocation: Revocation,
        mails: AccountMails,
        *,
        hashing: PasswordHashing,
        check: PasswordCheck,
        limits: SignInLimits,
        clock: Clock,
    ) -> None:
        self._repository = repository
        self._outbox = outbox
        self._revocation = revocation
        self._mails = mails
        self._hashing = hashing
        self._check = check
        self._limits = limits
        self._clock = clock

    async def change(self, who: Principal, command: ChangePassword) -> None:
        user = await self.confirmed(who, command.current_password)
        fresh = await self._hashing.hash(command.new_password)

        async def work(unit: Unit) -> list[str]:
            now = await self._repository.find_user(user.user_id, unit)
            if now is None or now.sign_in_epoch != user.sign_in_epoch:
                raise WrongPassword("the password was changed meanwhile", field="currentPassword")
            return await self._set(now, fresh, unit, keep=who.session_id)

        await self._revocation.copy(await self._outbox.transact(work))

    async def confirmed(self, who: Principal, password: str) -> User:
        """The caller's account, if this is its password. Raises WrongPassword, LoginLocked."""
        user = await self._repository.find_user(who.user_id)
        if user is None or user.deleted_at:
            raise NotFound.of("account")
        if not await self._check.right(user.email, user.password_hash, password):
            raise WrongPassword("the present password is wrong", field="currentPassword")
        return user

    async def forgot(self, command: ForgotPassword, device: Device) -> None:
        await self._limits.take(command.email, device, self._clock.now())
        await self._mails.ask_for_whom("password_reset", command.email)

    async def reset(self, command: ResetPassword) -> None:
        fresh = await self._hashing.hash(command.new_password)

        async def work(unit: Unit) -> tuple[User, list[str]]:
            user = await self._mails.redeem(command.token, "password_reset", unit)
            return user, await self._set(replace(user, email_verified=True), fresh, unit)

        user, ended = await self._outbox.transact(work)
        await self._revocation.copy(ended)
        await self._check.forgive(user.email)

    async def _set(self, user: User, password_hash: str, unit: Unit, keep: str | None = None) -> list[str]:
        await self._repository.save_user(with_password(user, password_hash), unit)
        await self._mails.ask("password_changed", user.user_id, unit)
        return await self._revocation.end_all_within(unit, user.user_id, "password changed", keep)

    async def verify_email(self, command: VerifyEmail) -> None:
        async def work(unit: Unit) -> None:
            user = await self._mails.redeem(command.token, "verify_email", unit)
            await self._repository.save_user(replace(user, email_verified=True, version=user.version + 1), unit)

        await self._outbox.transact(work)
