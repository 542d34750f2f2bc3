import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime

from services.auth.models import email_key
from services.contracts.auth import Device
from services.kit.cache import TokenBucket


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
            account = hashlib.sha256(email_key(email).encode()).hexdigest()
            await self.per_account.take(account, now.timestamp())


def _is_loopback(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False
