"""Accounts, sessions and addresses: what they hold and the rules that need nothing but themselves."""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import phonenumbers

from services.contracts.auth import (
    Address,
    AddressIn,
    AddressPatch,
    Contact,
    Device,
    ManagedUser,
    SessionView,
    TooManyAddresses,
    UserView,
)
from services.contracts.notifications import AccountMail
from services.kit.errors import Invalid, NotFound

MAX_ADDRESSES = 50
_FOREIGN_ZIP = re.compile(r"^[A-Za-z0-9][A-Za-z0-9 -]{1,10}[A-Za-z0-9]$")
_INDIAN_ZIP = re.compile(r"^[1-9][0-9]{5}$")


@dataclass(frozen=True)
class User:
    """An account; `version` grows with every change.

    Without `password_hash` it is entered by Google or after a reset only. `sign_in_epoch` grows whenever everything
    that could sign in before (passwords, mailed links, a login under way) must not any more.
    """

    user_id: str
    name: str
    email: str
    roles: tuple[str, ...]
    password_hash: str | None
    created_at: datetime
    addresses: tuple[Address, ...] = ()
    version: int = 1
    email_verified: bool = False
    google_subject: str | None = None
    sign_in_epoch: int = 0
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def email_key(self) -> str:
        return email_key(self.email)

    def view(self) -> UserView:
        return UserView(user_id=self.user_id, name=self.name, email=self.email, roles=self.roles)

    def managed_view(self) -> ManagedUser:
        return ManagedUser(
            **self.view().model_dump(),
            email_verified=self.email_verified,
            created_at=self.created_at,
            disabled_at=self.disabled_at,
            deleted_at=self.deleted_at,
        )

    def contact(self) -> Contact:
        default = next((a for a in self.addresses if a.is_default), None)
        return Contact(user_id=self.user_id, name=self.name, email=self.email, phone=default.phone if default else None)


@dataclass(frozen=True)
class Session:
    """A login on one device, and the family of refresh tokens that came from it.

    `family_hash` stays for life and tells a used token of ours from an invented one; `secret_hash` is the only
    token that can be rotated, and `previous_hash` the one it came from, at `rotated_at`.
    """

    session_id: str
    user_id: str
    family_hash: str
    secret_hash: str
    device: Device
    created_at: datetime
    expires_at: datetime
    previous_hash: str | None = None
    rotated_at: datetime | None = None
    revoked_at: datetime | None = None

    def raced(self, secret_hash: str, arrived_at: datetime, grace: timedelta) -> bool:
        """Whether this used token is the last one and came so soon after its rotation that it is a race, no theft."""
        in_time = self.rotated_at is not None and arrived_at <= self.rotated_at + grace
        return secret_hash == self.previous_hash and in_time

    def view(self, current_id: str | None) -> SessionView:
        return SessionView(
            session_id=self.session_id,
            device=self.device,
            created_at=self.created_at,
            last_used_at=self.rotated_at or self.created_at,
            expires_at=self.expires_at,
            current=self.session_id == current_id,
        )


LinkPurpose = Literal["password_reset", "verify_email"]


@dataclass(frozen=True)
class MailedLink:
    """A single-use permission that went out by mail; only the hash of its token is kept.

    It is void once the account's `sign_in_epoch` has moved on.
    """

    token_hash: str
    user_id: str
    purpose: LinkPurpose
    sign_in_epoch: int
    expires_at: datetime


@dataclass(frozen=True)
class MailRequest:
    """Mail that auth wants sent. A forgotten password names an e-mail, whether an account has it or not."""

    request_id: str
    template: AccountMail
    created_at: datetime
    user_id: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class RefreshToken:
    """`<session id>.<family>.<secret>`: the last two are random, and only their hashes are kept."""

    session_id: str
    family: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.session_id}.{self.family}.{self.secret}"

    @classmethod
    def parse(cls, text: str) -> "RefreshToken | None":
        parts = text.split(".")
        return cls(*parts) if len(parts) == 3 and all(parts) else None


def email_key(email: str) -> str:
    """What makes two spellings of an address the same account."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def roles_for(role: str) -> tuple[str, ...]:
    return ("customer", "seller") if role == "SELLER" else ("customer",)


def complete(wanted: AddressIn, address_id: str) -> Address:
    """A checked address. Raises Invalid naming the field."""
    return _checked(Address(address_id=address_id, **wanted.model_dump()))


def find(addresses: tuple[Address, ...], address_id: str) -> Address:
    for address in addresses:
        if address.address_id == address_id:
            return address
    raise NotFound.of("address")


def added(addresses: tuple[Address, ...], new: Address) -> tuple[Address, ...]:
    """The first one is the default; a new default takes the place of the old one."""
    if len(addresses) >= MAX_ADDRESSES:
        raise TooManyAddresses(
            f"an account keeps at most {MAX_ADDRESSES} addresses; delete one first", details={"limit": MAX_ADDRESSES}
        )
    if new.is_default or not addresses:
        return _with_default((*addresses, new), new.address_id)
    return (*addresses, new)


def changed(addresses: tuple[Address, ...], address_id: str, patch: AddressPatch) -> tuple[Address, ...]:
    """Raises NotFound, Invalid."""
    old = find(addresses, address_id)
    if old.is_default and patch.is_default is False:
        raise Invalid("one address is always the default; make another one the default instead", field="isDefault")
    new = _checked(old.model_copy(update=patch.model_dump(exclude_none=True)))
    rows = tuple(new if a.address_id == address_id else a for a in addresses)
    return _with_default(rows, address_id) if new.is_default else rows


def without(addresses: tuple[Address, ...], address_id: str) -> tuple[Address, ...]:
    """Raises NotFound. The oldest remaining one takes over as the default."""
    gone = find(addresses, address_id)
    rest = tuple(a for a in addresses if a.address_id != address_id)
    return _with_default(rest, rest[0].address_id) if gone.is_default and rest else rest


def one_default(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """The first that says so, or else the first."""
    if not addresses:
        return ()
    chosen = next((a for a in addresses if a.is_default), addresses[0])
    return _with_default(addresses, chosen.address_id)


def renamed(user: User, name: str | None) -> User:
    return replace(user, name=name or user.name, version=user.version + 1)


def with_password(user: User, password_hash: str) -> User:
    return replace(user, password_hash=password_hash, sign_in_epoch=user.sign_in_epoch + 1, version=user.version + 1)


def disabled(user: User, now: datetime | None) -> User:
    """`now` None lets the account in again."""
    return replace(user, disabled_at=now, sign_in_epoch=user.sign_in_epoch + 1, version=user.version + 1)


def anonymous(user: User, now: datetime) -> User:
    """What stays of a deleted account: an id that orders and reviews may point at."""
    return replace(
        user, name="Deleted account", email=f"{user.user_id}@deleted.invalid", roles=(), password_hash=None,
        addresses=(), email_verified=False, google_subject=None, sign_in_epoch=user.sign_in_epoch + 1,
        deleted_at=now, version=user.version + 1,
    )  # fmt: skip


def _with_default(addresses: tuple[Address, ...], address_id: str) -> tuple[Address, ...]:
    return tuple(a.model_copy(update={"is_default": a.address_id == address_id}) for a in addresses)


def _checked(address: Address) -> Address:
    update = {
        "phone": _e164(address.phone, address.country),
        "zip_code": _zip_code(address.zip_code, address.country),
    }
    return address.model_copy(update=update)


def _e164(phone: str, country: str) -> str:
    """A number without a country code belongs to the country of the address."""
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise Invalid("not a phone number that can be called; write it like +919876543210", field="phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _zip_code(zip_code: str, country: str) -> str:
    if country == "IN":
        digits = zip_code.replace(" ", "")
        if _INDIAN_ZIP.match(digits):
            return digits
        raise Invalid("an Indian pincode has six digits and does not start with 0", field="zipCode")
    if _FOREIGN_ZIP.match(zip_code):
        return zip_code
    raise Invalid("a postal code has letters, digits, spaces and hyphens only", field="zipCode")
