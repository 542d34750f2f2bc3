"""Personal data becomes `<phone:1>` before the graph sees it; the originals lie encrypted, with an expiry."""

import re
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from services.kit.clock import Clock
from services.kit.mongo import Database, ascending, ensure_indexes

KEEP = timedelta(days=30)
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("card", re.compile(r"(?<![\d₹])(?:\d[ -]?){12,18}\d(?!\d)")),
    ("phone", re.compile(r"(?<![\w₹])(?:\+?91[ -]?|0)?[6-9]\d{4}[ -]?\d{5}(?!\d)")),
)
_PLACEHOLDER = re.compile(r"<(?:phone|email):\d+>")


class Vault:
    """One document per conversation. Card numbers are masked and not kept: nothing here may ever use one."""

    def __init__(self, database: Database, key: bytes, clock: Clock) -> None:
        """`key` is a Fernet key (32 bytes, URL-safe base64)."""
        self._database = database
        self._rows = database["vault"]
        self._fernet = Fernet(key)
        self._clock = clock

    async def prepare(self) -> None:
        await ensure_indexes(self._database, {"vault": [ascending("expiresAt", expires=True)]})

    async def hide(self, conversation_id: str, text: str) -> str:
        """The text with placeholders; the same value keeps the same placeholder within a conversation."""
        if not any(pattern.search(text) for _, pattern in _PATTERNS):
            return text
        known = await self._known(conversation_id)
        before = len(known)
        for kind, pattern in _PATTERNS:
            text = pattern.sub(lambda found, kind=kind: _placeholder(kind, found.group(), known), text)  # type: ignore[misc]
        if len(known) > before:
            await self._keep(conversation_id, known)
        return text

    async def restore(self, conversation_id: str, value: Any) -> Any:
        """Put originals back into the arguments of a tool call."""
        if not _holds_placeholder(value):
            return value
        known = {placeholder: original for original, placeholder in (await self._known(conversation_id)).items()}
        return _restored(value, known)

    async def forget(self, conversation_id: str) -> None:
        await self._rows.delete_one({"_id": conversation_id})

    async def _known(self, conversation_id: str) -> dict[str, str]:
        row = await self._rows.find_one({"_id": conversation_id})
        try:
            return {self._fernet.decrypt(e["value"]).decode(): e["as"] for e in (row or {}).get("entries", [])}
        except InvalidToken:
            return {}

    async def _keep(self, conversation_id: str, known: dict[str, str]) -> None:
        entries = [{"as": name, "value": self._fernet.encrypt(original.encode())} for original, name in known.items()]
        row = {"entries": entries, "expiresAt": self._clock.now() + KEEP}
        await self._rows.replace_one({"_id": conversation_id}, row, upsert=True)


def _placeholder(kind: str, original: str, known: dict[str, str]) -> str:
    if kind == "card":
        return "<card number removed>"
    if original not in known:
        known[original] = f"<{kind}:{1 + sum(name.startswith(f'<{kind}:') for name in known.values())}>"
    return known[original]


def _holds_placeholder(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_placeholder(v) for v in value.values())
    return isinstance(value, str) and _PLACEHOLDER.search(value) is not None


def _restored(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _restored(item, known) for key, item in value.items()}
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: known.get(found.group(), found.group()), value)
    return value
