"""What a user wants to be told where."""

from typing import get_args

from services.contracts.notifications import (
    Channel,
    Kind,
    Kinds,
    KindsPatch,
    NotificationPreferences,
    PreferenceLocked,
    PreferencesPatch,
)
from services.kit.principal import Principal
from services.notifications.models import CHANNELS, KINDS, LOCKED, Choices, is_on
from services.notifications.repository import NotificationRepository


class Preferences:
    """`channels` are those this installation has."""

    def __init__(self, repository: NotificationRepository, channels: frozenset[Channel]) -> None:
        self._repository = repository
        self._channels = channels

    async def of(self, who: Principal) -> NotificationPreferences:
        return _view(await self._repository.choices(who.user_id))

    async def change(self, who: Principal, patch: PreferencesPatch) -> NotificationPreferences:
        choices = _choices(patch)
        for (channel, kind), on in choices.items():
            if not on and (channel, kind) in LOCKED:
                message = f"mail of the kind {kind} is always sent; other channels and kinds can be switched off"
                raise PreferenceLocked(message, field=f"{channel}.{kind}")
        if choices:
            await self._repository.choose(who.user_id, choices)
        return await self.of(who)

    async def channels_for(self, user_id: str, template: str) -> list[Channel]:
        choices, kind = await self._repository.choices(user_id), KINDS[template]
        return [channel for channel in CHANNELS if channel in self._channels and is_on(choices, channel, kind)]


def _choices(patch: PreferencesPatch) -> Choices:
    by_channel: dict[Channel, KindsPatch] = {
        "email": patch.email, "sms": patch.sms, "push": patch.push, "in_app": patch.in_app,
    }  # fmt: skip
    chosen = {(channel, kind): getattr(kinds, kind) for channel, kinds in by_channel.items() for kind in get_args(Kind)}
    return {key: on for key, on in chosen.items() if on is not None}


def _view(choices: Choices) -> NotificationPreferences:
    shown = {channel: Kinds(**{kind: is_on(choices, channel, kind) for kind in get_args(Kind)}) for channel in CHANNELS}
    locked = tuple(sorted(f"{channel}.{kind}" for channel, kind in LOCKED))
    return NotificationPreferences(**shown, locked=locked)
