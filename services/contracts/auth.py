"""What auth promises: accounts, sessions, addresses."""

from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import AliasChoices, EmailStr, Field, StringConstraints

from services.kit.errors import BadRequest, Conflict, Forbidden, NotFound, RateLimited, Refused, Unauthenticated
from services.kit.principal import Principal
from services.kit.text import PlainText, ShortText
from services.kit.wire import Page, Wire


class EmailTaken(Conflict):
    code = "email_taken"


class BadCredentials(Unauthenticated):
    code = "bad_credentials"


class RefreshRefused(Unauthenticated):
    """The refresh token is unknown, expired, revoked or was used before (then its whole family is revoked)."""

    code = "refresh_refused"


class WrongPassword(Forbidden):
    """The password that a sensitive change asks for again is not right."""

    code = "wrong_password"


class FreshLoginRequired(Forbidden):
    """An account without a password confirms a sensitive change by having logged in a moment ago."""

    code = "fresh_login_required"


class AccountDisabled(Forbidden):
    """An operator has closed this account. Only who knows the password is told."""

    code = "account_disabled"


class LoginLocked(RateLimited):
    """Too many wrong passwords for this e-mail; sessions that live go on."""

    code = "login_locked"


class LinkRefused(BadRequest):
    """The mailed link is unknown, expired, used or overtaken by a newer change."""

    code = "link_refused"


class GoogleNotConfigured(NotFound):
    code = "google_not_configured"


class GoogleRefused(Unauthenticated):
    """The sign-in by Google was cancelled, took too long, or did not come from this browser."""

    code = "google_refused"


class TooManyAddresses(Refused):
    """`details.limit` addresses is all an account keeps."""

    code = "too_many_addresses"


NewPassword = Annotated[str, StringConstraints(min_length=8, max_length=256)]
GivenPassword = Annotated[str, StringConstraints(min_length=1, max_length=256)]
MailedToken = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Register(Wire):
    name: ShortText
    email: EmailStr
    password: NewPassword
    role: Literal["USER", "SELLER"] = "USER"


class Login(Wire):
    email: EmailStr
    password: GivenPassword


class ChangePassword(Wire):
    current_password: GivenPassword
    new_password: NewPassword


class ForgotPassword(Wire):
    email: EmailStr


class ResetPassword(Wire):
    """`token` is the one of the mailed link."""

    token: MailedToken
    new_password: NewPassword


class VerifyEmail(Wire):
    """`token` is the one of the mailed link."""

    token: MailedToken


class DeleteAccount(Wire):
    """`password` again; an account without one must have logged in within the last minutes."""

    password: GivenPassword | None = None


class Device(Wire):
    """Where a session comes from."""

    ip: str = ""
    user_agent: Annotated[str, StringConstraints(max_length=400)] = ""


class UserView(Wire):
    user_id: str
    name: str
    email: str
    roles: tuple[str, ...]


class SessionView(Wire):
    """A login on one device; `current` marks the caller's own."""

    session_id: str
    device: Device
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool


class ManagedUser(UserView):
    """An account as an operator sees it."""

    email_verified: bool
    created_at: datetime
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None


class SignedIn(Wire):
    """Answer of register, login and refresh; `refresh_token` goes into an httpOnly cookie, never into the body."""

    user: UserView
    access_token: str
    expires_in: int
    refresh_token: str = Field(exclude=True, default="")


class ProfilePatch(Wire):
    name: ShortText | None = None


Phone = Annotated[str, StringConstraints(min_length=5, max_length=20)]
Street = Annotated[PlainText, StringConstraints(min_length=1, max_length=300)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
ZipCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=12)]


class AddressIn(Wire):
    """`phone` becomes E.164 (a bare Indian number gets +91); `zipCode` (alias pincode) has six digits for IN."""

    name: ShortText
    phone: Phone
    street: Street
    city: ShortText
    state: ShortText
    country: Country = "IN"
    zip_code: Annotated[ZipCode, Field(validation_alias=AliasChoices("zipCode", "pincode"))]
    is_default: bool = False


class AddressPatch(Wire):
    """Fields left out, or null, stay as they are; `isDefault` false on the default address is refused."""

    name: ShortText | None = None
    phone: Phone | None = None
    street: Street | None = None
    city: ShortText | None = None
    state: ShortText | None = None
    country: Country | None = None
    zip_code: Annotated[ZipCode | None, Field(validation_alias=AliasChoices("zipCode", "pincode"))] = None
    is_default: bool | None = None


class Address(Wire):
    address_id: str
    name: str
    phone: str
    street: str
    city: str
    state: str
    country: str
    zip_code: str
    is_default: bool = False


class AccountExport(Wire):
    """All personal data that auth keeps of an account."""

    account: ManagedUser
    addresses: list[Address]
    sessions: list[SessionView]


class Contact(Wire):
    """What notifications need to reach a user."""

    user_id: str
    name: str
    email: str
    phone: str | None = None


class SeedUser(Wire):
    """An account of the demo data, ready to be kept as it is; at most one of `addresses` is the default."""

    user_id: str
    name: str
    email: str
    roles: tuple[str, ...]
    addresses: tuple[Address, ...] = ()
    created_at: datetime


class AuthPort(Protocol):
    async def register(self, command: Register, device: Device) -> SignedIn:
        """Raises EmailTaken, RateLimited."""

    async def login(self, command: Login, device: Device) -> SignedIn:
        """Raises BadCredentials (same answer and time for a known and an unknown e-mail), RateLimited."""

    async def refresh(self, refresh_token: str, device: Device) -> SignedIn:
        """Rotate. Raises RefreshRefused."""

    async def logout(self, refresh_token: str | None, who: Principal | None) -> None:
        """Revoke the session; repeatable."""

    async def logout_all(self, who: Principal) -> None:
        """Revoke every session of the caller; repeatable."""

    async def sessions(self, who: Principal) -> list[SessionView]:
        """The live ones, last used first."""

    async def end_session(self, who: Principal, session_id: str) -> None:
        """Raises NotFound."""

    async def change_password(self, who: Principal, command: ChangePassword) -> None:
        """All other sessions end, and a mail tells so. Raises WrongPassword, LoginLocked."""

    async def forgot_password(self, command: ForgotPassword, device: Device) -> None:
        """Mail a link if there is such an account; the same answer and time if not. Raises RateLimited."""

    async def reset_password(self, command: ResetPassword) -> None:
        """All sessions end, the lock-out too, and the e-mail counts as verified. Raises LinkRefused."""

    async def verify_email(self, command: VerifyEmail) -> None:
        """Raises LinkRefused."""

    async def export(self, who: Principal) -> AccountExport: ...

    async def delete_account(self, who: Principal, command: DeleteAccount) -> None:
        """Anonymise: personal data go, the id stays. Raises WrongPassword, LoginLocked, FreshLoginRequired."""

    async def google_url(self, browser: str) -> str:
        """Where to send the browser that keeps the secret `browser`. Raises GoogleNotConfigured, Unavailable."""

    async def google_login(self, browser: str, state: str, code: str | None, device: Device) -> SignedIn:
        """The browser is back. Raises GoogleNotConfigured, GoogleRefused, EmailTaken, AccountDisabled, Unavailable."""

    async def users(self, who: Principal, limit: int = 20, cursor: str | None = None) -> Page[ManagedUser]:
        """For operators: accounts, newest first. Raises Forbidden."""

    async def disable_user(self, who: Principal, user_id: str) -> ManagedUser:
        """Close an account and end its sessions; repeatable. Raises Forbidden, NotFound, Refused (oneself)."""

    async def enable_user(self, who: Principal, user_id: str) -> ManagedUser:
        """Let an account in again; repeatable. Raises Forbidden, NotFound."""

    async def is_live(self, session_id: str) -> bool:
        """False once the session is revoked or its account disabled."""

    async def me(self, who: Principal) -> UserView: ...

    async def update_me(self, who: Principal, patch: ProfilePatch) -> UserView: ...

    async def addresses(self, who: Principal) -> list[Address]: ...

    async def address(self, who: Principal, address_id: str) -> Address:
        """Raises NotFound."""

    async def add_address(self, who: Principal, address: AddressIn, key: str | None = None) -> Address:
        """The first address is the default. The same `key` adds it once.

        Raises Invalid (names the field), TooManyAddresses.
        """

    async def update_address(self, who: Principal, address_id: str, patch: AddressPatch) -> Address:
        """Raises NotFound."""

    async def delete_address(self, who: Principal, address_id: str) -> None:
        """Raises NotFound. The oldest remaining address becomes the default."""

    async def contact(self, who: Principal, user_id: str) -> Contact:
        """For the marketplace itself (`who.service`). Raises Forbidden, NotFound."""
