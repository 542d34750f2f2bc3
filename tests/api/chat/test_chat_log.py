"""Frames kept in Redis."""

import uuid
from typing import Any

import pytest

from api.chat.lease import Leases
from api.chat.log import FrameLog, LeaseLost


@pytest.fixture
def conversation() -> str:
    return f"cnv_{uuid.uuid4().hex}"


async def test_tokens_share_an_entry_and_come_out_again_one_by_one(redis: Any, conversation: str) -> None:
    log = FrameLog(redis)
    for n in range(1, 6):
        await log.append(conversation, "trn_1", {"type": "token", "text": f"word {n}\n"}, "")
    await log.append(conversation, "trn_1", {"type": "answer", "text": "x"}, "")
    replayed = await log.since(conversation, 2)
    assert await redis.xlen(f"chat:{{{conversation}}}:log") == 2
    assert replayed is not None
    assert [kept.frame()["seq"] for kept in replayed] == [3, 4, 5, 6]
    assert replayed[0].frame()["text"] == "word 3\n"


async def test_what_was_pushed_out_is_gone(redis: Any, conversation: str) -> None:
    log = FrameLog(redis, keep_entries=3)
    for _ in range(6):
        await log.append(conversation, "trn_1", {"type": "cart"}, "")
    assert await log.since(conversation, 2) is None
    assert len(await log.since(conversation, 3) or []) == 3
    assert await log.since(conversation, 6) == []
    assert await log.since(conversation, 7) is None


async def test_a_holder_that_was_overtaken_cannot_write(redis: Any, conversation: str) -> None:
    log, leases = FrameLog(redis), Leases(redis, seconds=10)
    old = await leases.take(conversation)
    assert old is not None
    assert await leases.take(conversation) is None
    await leases.release(old)
    new = await leases.take(conversation)
    assert new is not None
    assert int(new.fence) > int(old.fence)
    with pytest.raises(LeaseLost):
        await log.append(conversation, "trn_1", {"type": "cart"}, old.fence)
    await leases.release(old)
    assert (await log.append(conversation, "trn_2", {"type": "cart"}, new.fence)).seq == 1
