"""Calling a chat model: streamed, within the turn's time, with bounded retries and a stand-in."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from agents.turn import Turn
from services.kit.log import get_logger

log = get_logger("model")
OnText = Callable[[str], Awaitable[None]]
_ATTEMPTS = 3


class ModelAway(Exception):
    """No model answered in time; the turn says so honestly."""


class ChatModels:
    """The primary model and, where one is set, a second that stands in. `name` is what clients see."""

    def __init__(
        self,
        name: str,
        primary: BaseChatModel,
        fallback: BaseChatModel | None = None,
        *,
        timeout: float = 30.0,
        back_off: float = 0.5,
    ) -> None:
        self.name = name
        self._models = [primary] + ([fallback] if fallback else [])
        self._timeout = timeout
        self._back_off = back_off

    async def ask(
        self, messages: Sequence[BaseMessage], tools: Sequence[dict[str, Any]], turn: Turn, on_text: OnText
    ) -> AIMessage:
        """The whole message; text is given to `on_text` as it comes.

        Raises ModelAway after the last attempt, asyncio.CancelledError when the turn was cancelled.
        """
        started = time.perf_counter()
        try:
            for model in self._models:
                answer = await self._try(model, messages, tools, turn, on_text)
                if answer is not None:
                    _count(answer, turn)
                    return answer
        finally:
            turn.usage.model_ms += (time.perf_counter() - started) * 1000
        raise ModelAway

    async def _try(
        self,
        model: BaseChatModel,
        messages: Sequence[BaseMessage],
        tools: Sequence[dict[str, Any]],
        turn: Turn,
        on_text: OnText,
    ) -> AIMessage | None:
        bound = model.bind_tools(list(tools)) if tools else model
        for attempt in range(1, _ATTEMPTS + 1):
            told = _Told(on_text)
            try:
                return await asyncio.wait_for(_stream(bound, messages, told), min(self._timeout, turn.seconds_left))
            except Exception as error:  # noqa: BLE001 - providers raise what they like; it is logged and bounded
                log.warning("model_failed", attempt=attempt, error=type(error).__name__)
                if told.anything or attempt == _ATTEMPTS or turn.seconds_left < self._back_off * 4:
                    return None
                await asyncio.sleep(self._back_off * 2 ** (attempt - 1))
        return None


class _Told:
    """Whether any text went out already: then a retry would say it twice."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self.anything = False

    async def __call__(self, text: str) -> None:
        self.anything = True
        await self._on_text(text)


async def _stream(model: Any, messages: Sequence[BaseMessage], on_text: OnText) -> AIMessage:
    whole: AIMessageChunk | None = None
    async for chunk in model.astream(list(messages)):
        whole = chunk if whole is None else whole + chunk
        text = chunk.text if isinstance(chunk.text, str) else chunk.text()
        if text:
            await on_text(text)
    if whole is None:
        raise ValueError("the model sent nothing")
    return AIMessage(
        content=whole.text if isinstance(whole.text, str) else whole.text(),
        tool_calls=whole.tool_calls,
        invalid_tool_calls=whole.invalid_tool_calls,
        additional_kwargs={k: v for k, v in whole.additional_kwargs.items() if k in {"ask", "plan"}},
        usage_metadata=whole.usage_metadata,
    )


def _count(answer: AIMessage, turn: Turn) -> None:
    usage = answer.usage_metadata
    if usage:
        turn.usage.input_tokens += usage["input_tokens"]
        turn.usage.output_tokens += usage["output_tokens"]
