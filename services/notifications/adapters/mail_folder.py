"""A mailer for one machine: each mail becomes a file that any mail program opens."""

import asyncio
import os
from pathlib import Path

from services.notifications.adapters.message import message_of
from services.notifications.models import Mail, MailAway, Mailer


class MailFolder(Mailer):
    """Writes `<time>-<id>.eml` files, whole or not at all; the same mail again takes the place of its file."""

    def __init__(self, folder: Path, *, sender: str = "Cohort <no-reply@cohort.example>") -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, mail: Mail) -> None:
        content = message_of(mail, self._sender).as_bytes()
        name = f"{mail.date:%Y%m%dT%H%M%S}-{mail.message_id.partition('@')[0]}.eml"
        try:
            await asyncio.to_thread(self._write, name, content)
        except OSError as error:
            raise MailAway(f"the mail folder cannot be written: {error}") from error

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{name}.tmp"
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)
