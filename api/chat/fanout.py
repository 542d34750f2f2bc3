"""Who listens to which conversation and which user, in this process."""

from collections import defaultdict
from typing import Protocol

from api.chat.log import Kept


class Listener(Protocol):
    def offer(self, conversation_id: str, kept: Kept) -> None:
        """Take a frame without waiting. Frames of a conversation come in the order of their numbers.

        A listener that sees a gap reads the log: another process may have written in between.
        """


class Hub:
    """Hands each frame to the listeners of its conversation."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, set[Listener]] = defaultdict(set)

    def attach(self, conversation_id: str, listener: Listener) -> None:
        self._listeners[conversation_id].add(listener)

    def detach(self, conversation_id: str, listener: Listener) -> None:
        self._listeners[conversation_id].discard(listener)
        if not self._listeners[conversation_id]:
            del self._listeners[conversation_id]

    def tell(self, conversation_id: str, kept: Kept) -> None:
        for listener in tuple(self._listeners.get(conversation_id, ())):
            listener.offer(conversation_id, kept)
