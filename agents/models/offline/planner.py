"""The offline planner as a LangChain chat model."""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from agents.models.offline.dialogue.conductor import Conductor, Decision
from agents.models.offline.intents import Encode, IntentReader
from agents.models.offline.moves import Act, Call, Say
from agents.models.offline.replies import Replies
from agents.models.offline.schemas import fitted
from agents.models.offline.slots.lexicon import Lexicon
from agents.models.offline.turn import PLAN, Json, read_turn
from services.contracts.catalog import Vocabulary

_SENTENCE = re.compile(r".+?(?:[.!?](?=\s)|\n|$)\s*", re.DOTALL)


class OfflinePlanner(BaseChatModel):
    """Plans and answers without a model server: a trained intent reader, a slot grammar and templates.

    `vocabulary` gives the live catalogue's words and is asked at each turn (cheap when it returns the same object).
    `encode` turns a sentence into a 384-dimensional unit vector, blocking; without it intents are read from words
    alone, less well. Answers depend on nothing but the messages, these two, and the bound
    tools. Only bound tools are called;
    with none bound, every tool is taken to be there.
    """

    vocabulary: Callable[[], Vocabulary] = Field(exclude=True)
    encode: Encode | None = Field(default=None, exclude=True)
    _intents: IntentReader = PrivateAttr()
    _replies: Replies = PrivateAttr()
    _known: tuple[Vocabulary, Conductor] | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self._intents = IntentReader(self.encode)
        self._replies = Replies()

    @property
    def _llm_type(self) -> str:
        return "cohort-offline"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {"model": "cohort-offline", "dense": self.encode is not None}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,  # noqa: ARG002 - the planner chooses by itself
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - part of the interface
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        message = self._answer(messages, _schemas(kwargs.get("tools")))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in _chunks(self._answer(messages, _schemas(kwargs.get("tools")))):
            generation = ChatGenerationChunk(message=chunk)
            if run_manager:
                run_manager.on_llm_new_token(str(chunk.text), chunk=generation)
            yield generation

    def _answer(self, messages: Sequence[BaseMessage], schemas: Mapping[str, Json] | None) -> AIMessage:
        turn = read_turn(messages, schemas)
        decision = self._conductor().decide(turn)
        if isinstance(decision.move, Act):
            return _calling(decision, decision.move, schemas, len(turn.steps))
        return _saying(decision.move, self._replies)

    def _conductor(self) -> Conductor:
        vocabulary = self.vocabulary()
        if self._known is None or (self._known[0] is not vocabulary and self._known[0] != vocabulary):
            self._known = vocabulary, Conductor(Lexicon(vocabulary), self._intents)
        return self._known[1]


def _schemas(tools: Sequence[Json] | None) -> dict[str, Json] | None:
    if tools is None:
        return None
    return {tool["function"]["name"]: tool["function"].get("parameters") or {} for tool in tools}


def _calling(decision: Decision, move: Act, schemas: Mapping[str, Json] | None, done: int) -> AIMessage:
    calls = [_tool_call(call, schemas, done + n) for n, call in enumerate(move.calls)]
    return AIMessage(content="", tool_calls=calls, additional_kwargs={PLAN: decision.plan}, usage_metadata=_free())


def _tool_call(call: Call, schemas: Mapping[str, Json] | None, n: int) -> ToolCall:
    args = fitted(call.args, schemas[call.tool]) if schemas is not None else call.args
    return ToolCall(name=call.tool, args=args, id=f"call_{uuid.uuid4().hex[:20]}_{n}", type="tool_call")


def _saying(say: Say, replies: Replies) -> AIMessage:
    asked = {"ask": say.ask.to_json()} if say.ask else {}
    return AIMessage(content=replies.text(say), additional_kwargs=asked, usage_metadata=_free())


def _free() -> UsageMetadata:
    return UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)


def _chunks(message: AIMessage) -> Iterator[AIMessageChunk]:
    """The same message in parts: tool calls at once, text sentence by sentence; usage comes once, with the last."""
    if message.tool_calls:
        calls = [
            tool_call_chunk(name=call["name"], args=orjson.dumps(call["args"]).decode(), id=call["id"], index=n)
            for n, call in enumerate(message.tool_calls)
        ]
        yield AIMessageChunk(content="", tool_call_chunks=calls, additional_kwargs=message.additional_kwargs)
    for sentence in _SENTENCE.findall(str(message.content)):
        yield AIMessageChunk(content=sentence)
    kept = {} if message.tool_calls else message.additional_kwargs
    yield AIMessageChunk(
        content="", additional_kwargs=kept, usage_metadata=message.usage_metadata, chunk_position="last"
    )
