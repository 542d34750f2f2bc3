"""What every part of the sandbox works with: the store, the clock, new ids, and one way to change things."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.payments.adapters.sandbox import checks
from services.payments.adapters.sandbox.entities import Clock, Entity, Event, Ids, Record
from services.payments.adapters.sandbox.errors import RazorpayError, id_unknown, server_error
from services.payments.adapters.sandbox.store import SandboxStore
from services.payments.adapters.sandbox.webhooks import Webhooks

_ATTEMPTS = 50


@dataclass(frozen=True)
class Plan:
    """A change worked out from what was read: the records to write, the webhooks that tell of it, and the answer."""

    answer: Entity
    writes: Sequence[Record] = ()
    events: Sequence[Event] = ()
    refusal: RazorpayError | None = None
    """Raised once the change is written: a failed payment is recorded and refused."""


class Desk:
    def __init__(self, store: SandboxStore, clock: Clock, ids: Ids, webhooks: Webhooks) -> None:
        self._store = store
        self._clock = clock
        self._webhooks = webhooks
        self._position = 0
        self.new_id = ids

    def now(self) -> int:
        return int(self._clock().timestamp())

    def record(self, kind: str, entity: Entity, **hidden: Any) -> Record:
        """A new record of this entity, placed after all earlier ones."""
        self._position = max(self._position + 1, int(self._clock().timestamp() * 1_000_000))
        return Record(kind, entity["id"], entity, {"position": self._position, **hidden})

    async def get(self, kind: str, record_id: str, prefix: str) -> Record:
        found = await self._store.find(kind, checks.known_id(record_id, prefix))
        if found is None:
            raise id_unknown()
        return found

    async def find_key(self, key: str) -> Record | None:
        return await self._store.find("keys", key)

    async def list_by(self, kind: str, value: str) -> list[Record]:
        return await self._store.list_by(kind, value)

    async def settle(self, work_out: Callable[[], Awaitable[Plan]]) -> Entity:
        """Work the change out and write it with its webhooks; again from fresh reads if another call was faster."""
        for _ in range(_ATTEMPTS):
            plan = await work_out()
            if await self._commit(plan):
                if plan.refusal:
                    raise plan.refusal
                return plan.answer
        raise server_error()

    async def _commit(self, plan: Plan) -> bool:
        if not plan.writes:
            return True
        letters = [self.record("webhooks", self._webhooks.letter(event), state="pending") for event in plan.events]
        letters = letters if self._webhooks.url else []
        try:
            if not await self._store.commit([*plan.writes, *letters]):
                return False
        except BaseException:
            self._webhooks.look_again()
            raise
        self._webhooks.announce(letters)
        return True
