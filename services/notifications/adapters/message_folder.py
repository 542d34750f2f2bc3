"""SMS and pushes for one machine: each becomes a file, and none ever leaves."""

import asyncio
import os
from pathlib import Path
from typing import Any

import orjson

from services.notifications.models import Handover, MailAway, PushMessage, PushSender, Sms, SmsSender


class _JsonFolder:
    """Writes `<time>-<id>.json`, whole or not at all; the same message again takes the place of its file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, name: str, content: dict[str, Any]) -> None:
        try:
            await asyncio.to_thread(self._write, f"{name}.json", orjson.dumps(content, option=orjson.OPT_INDENT_2))
        except OSError as error:
            raise MailAway(f"the folder {self._folder.name} cannot be written: {error}") from error

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{name}.tmp"
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)


class SmsFolder(SmsSender):
    """The folder is where the messages end, so they are delivered."""

    def __init__(self, folder: Path) -> None:
        self._files = _JsonFolder(folder)

    async def send(self, sms: Sms) -> Handover:
        content = {"id": sms.message_id, "to": sms.phone, "text": sms.text, "time": sms.date}
        await self._files.write(f"{sms.date:%Y%m%dT%H%M%S}-{sms.message_id}", content)
        return "delivered"


class PushFolder(PushSender):
    """The folder is where the messages end, so they are delivered."""

    def __init__(self, folder: Path) -> None:
        self._files = _JsonFolder(folder)

    async def send(self, message: PushMessage) -> Handover:
        content = {
            "id": message.message_id,
            "userId": message.user_id,
            "title": message.title,
            "text": message.text,
            "data": message.data,
            "time": message.date,
        }
        await self._files.write(f"{message.date:%Y%m%dT%H%M%S}-{message.message_id}", content)
        return "delivered"
