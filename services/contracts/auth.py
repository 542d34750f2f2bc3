"""What auth promises: accounts, sessions, addresses."""

from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import AliasChoices, EmailStr, Field, StringConstraints

from services.kit.errors import Conflict, Forbidden, Refused, Unauthenticated
from services.kit.principal import Principal
from services.kit.text import PlainText, ShortText
from services.kit.wire import Wire


class EmailTaken(Conflict):
    code = "email_taken"


class BadCredentials(Unauthenticated):
    code = "bad_credentials"


class RefreshRefused(Unauthenticated):
    """The refresh token is unknown, expired, revoked or was used before (then its whole family is revoked)."""

    code = "refresh_refused"


class OriginRefused(Forbidden):
    """A browser sent the refresh cookie from a page that is not ours."""

    code = "origin_refused"


class TooManyAddresses(Refused):
    """`details.limit` addresses is all an account keeps."""

    code = "too_many_addresses"


class Register(Wire):
    name: ShortText
    email: EmailStr
    password: Annotated[str, StringConstraints(min_length=8, max_length=256)]
    role: Literal["USER", "SELLER"] = "USER"


class Login(Wire):
    email: EmailStr
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Device(Wire):
    """Where a session comes from."""

    ip: str = ""
    user_agent: Annotated[str, StringConstraints(max_length=400)] = ""


class UserView(Wire):
    user_id: str
    name: str
    email: str
    roles: tuple[str, ...]


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
