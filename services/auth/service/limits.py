import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime

from services.auth.adapters.lockout import LoginLockout
from services.auth.adapters.passwords import PasswordHashing
from services.auth.models import email_key
from services.contracts.auth import Device
from services.kit.cache import TokenBucket
from services.kit.clock import Clock


@dataclass(frozen=True)
class SignInLimits:
    """Attempts per address of the network and per account; None limits nothing. The demo exempts loopback."""

    per_ip: TokenBucket | None = None
    per_account: TokenBucket | None = None
    exempt_loopback: bool = False

    async def take(self, email: str, device: Device, now: datetime) -> None:
        """Raises RateLimited. An account is counted whether it exists or not."""
        if self.exempt_loopback and _is_loopback(device.ip):
            return
        if self.per_ip:
            await self.per_ip.take(device.ip, now.timestamp())
        if self.per_account:
            await self.per_account.take(account_of(email), now.timestamp())


class PasswordCheck:
    """The one place where a given password meets a kept one: slow on purpose, and counted."""

    def __init__(self, hashing: PasswordHashing, lockout: LoginLockout | None, clock: Clock) -> None:
        self._hashing = hashing
        self._lockout = lockout
        self._clock = clock

    async def right(self, email: str, password_hash: str | None, password: str) -> bool:
        """Takes the same time without a hash. Raises LoginLocked, Unavailable."""
        account = account_of(email)
        if self._lockout:
            await self._lockout.check(account, self._clock.now())
        right = await self._hashing.matches(password_hash, password)
        if self._lockout:
            await (self._lockout.forget(account) if right else self._lockout.failed(account, self._clock.now()))
        return right

    async def forgive(self, email: str) -> None:
        if self._lockout:
            await self._lockout.forget(account_of(email))


def account_of(email: str) -> str:
    """What stands for an account where its e-mail must not."""
    return hashlib.sha256(email_key(email).encode()).hexdigest()


def _is_loopback(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False
