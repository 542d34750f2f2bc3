"""Addresses, preferences and the shop's policies."""

from typing import Annotated, Literal, Protocol

from pydantic import Field, ValidationError

from prompts import policies
from services.contracts.auth import AddressIn, AuthPort
from services.kit.principal import Principal
from tools.cart import NoArguments
from tools.kinds import Arguments, Call, Kind, Receipt, Scope, Tool, ToolResult, refused


class Preferences(Protocol):
    """Stated preferences of a user, e.g. size or brand; visible and deletable."""

    async def all(self, who: Principal) -> dict[str, str]: ...

    async def set(self, who: Principal, key: str, value: str | None) -> dict[str, str]:
        """None forgets it."""


class AddressArguments(Arguments):
    name: Annotated[str, Field(max_length=200)]
    phone: Annotated[str, Field(max_length=40, description="as the shopper typed it, placeholders unchanged")]
    street: Annotated[str, Field(max_length=300)]
    city: Annotated[str, Field(max_length=200)]
    state: Annotated[str, Field(max_length=200)]
    zip_code: Annotated[str, Field(max_length=12)]
    country: str = "IN"


class PreferenceArguments(Arguments):
    key: Literal["size", "shoe_size", "colour", "brand", "budget", "material"]
    value: Annotated[str, Field(max_length=100, description="empty forgets the preference")]


class PolicyArguments(Arguments):
    topic: Literal["shipping", "returns", "payment"]


def tools(auth: AuthPort, preferences: Preferences) -> list[Tool]:
    desk = _Account(auth, preferences)
    return [
        Tool(
            "list_addresses", "The shopper's delivery addresses.", Kind.READ, Scope.BUYER, NoArguments, desk.addresses
        ),
        Tool("add_address", "Save a delivery address.", Kind.WRITE, Scope.BUYER, AddressArguments, desk.add),
        Tool(
            "get_preferences",
            "What the shopper said to prefer.",
            Kind.READ,
            Scope.ANYONE,
            NoArguments,
            desk.preferences,
        ),
        Tool("set_preference", "Remember a preference.", Kind.WRITE, Scope.ANYONE, PreferenceArguments, desk.prefer),
        Tool(
            "store_policy",
            "Shipping, returns or payment policy.",
            Kind.READ,
            Scope.ANYONE,
            PolicyArguments,
            desk.policy,
        ),
    ]


class _Account:
    def __init__(self, auth: AuthPort, preferences: Preferences) -> None:
        self._auth = auth
        self._preferences = preferences

    async def addresses(self, call: Call, _wish: NoArguments) -> ToolResult:
        return ToolResult({"items": [address.to_wire() for address in await self._auth.addresses(call.who)]})

    async def add(self, call: Call, wish: AddressArguments) -> ToolResult:
        """Never sets the default, except that the first address is one."""
        try:
            address = AddressIn(**wish.model_dump(), is_default=False)
        except ValidationError as error:
            first = error.errors()[0]
            return refused("invalid", str(first["msg"]), field_name=".".join(map(str, first["loc"])))
        saved = await self._auth.add_address(call.who, address, call.key)
        return ToolResult(saved.to_wire(), receipt=Receipt("add_address", saved.address_id, ok=True))

    async def preferences(self, call: Call, _wish: NoArguments) -> ToolResult:
        return ToolResult({"preferences": await self._preferences.all(call.who)})

    async def prefer(self, call: Call, wish: PreferenceArguments) -> ToolResult:
        kept = await self._preferences.set(call.who, wish.key, wish.value or None)
        return ToolResult({"preferences": kept}, receipt=Receipt("set_preference", wish.key, ok=True))

    async def policy(self, _call: Call, wish: PolicyArguments) -> ToolResult:
        return ToolResult({"topic": wish.topic, "text": policies.text(wish.topic)})
