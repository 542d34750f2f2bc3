"""langchain-openai against a server that speaks OpenAI's chat completions API on loopback."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from agents.models.calling import ChatModels, ModelAway
from agents.models.openai import openai_model
from agents.turn import Limits, Turn
from services.kit.clock import ManualClock
from tests.conftest import START
from tests.fakes.assistant import ASHA
from tests.fakes.shop import Shop

USAGE = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}


@dataclass
class Reply:
    """What the server says next: a status that fails, or text and tool calls (name, raw arguments)."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    status: int = 200
    cut: bool = False


@dataclass
class Provider:
    """The server's side: the replies to come, and the requests that came."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def answer(self, body: dict[str, Any]) -> Response:
        reply = self.replies.pop(0)
        if reply.status != 200:
            error = {"error": {"message": "not now", "type": "server_error", "param": None, "code": None}}
            return JSONResponse(error, reply.status, {"Retry-After": "0"})
        if body.get("stream"):
            return StreamingResponse(_events(reply), media_type="text/event-stream")
        return JSONResponse(_whole(reply))


def _tool_calls(reply: Reply) -> list[dict[str, Any]]:
    return [
        {"index": n, "id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(reply.calls)
    ]


def _whole(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = _tool_calls(reply)
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if reply.calls else "stop"}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def _events(reply: Reply) -> Iterator[bytes]:
    for word in reply.text.split(" ") if reply.text else []:
        yield _event({"content": word + " "})
        if reply.cut:
            raise ConnectionResetError
    for call in _tool_calls(reply):
        arguments = call["function"]["arguments"]
        half = len(arguments) // 2
        yield _event({"tool_calls": [{**call, "function": {**call["function"], "arguments": arguments[:half]}}]})
        rest = {"index": call["index"], "function": {"arguments": arguments[half:]}}
        yield _event({"tool_calls": [rest]})
    yield _event({}, "tool_calls" if reply.calls else "stop")
    yield _event(None)
    yield b"data: [DONE]\n\n"


def _event(delta: dict[str, Any] | None, finish: str | None = None) -> bytes:
    chunk: dict[str, Any] = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    if delta is None:
        chunk["usage"] = USAGE
    else:
        chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made, app = Provider(), FastAPI()

    @app.post("/v1/chat/completions")
    async def complete(request: Request) -> Response:
        made.requests.append(await request.json())
        made.keys.append(request.headers.get("authorization", ""))
        return made.answer(made.requests[-1])

    listening = socket.create_server(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve(sockets=[listening]))
    yield made
    server.should_exit = True
    await task


@dataclass
class Asked:
    answer: AIMessage
    told: str
    turn: Turn


def models_of(provider: Provider, *names: str) -> ChatModels:
    made = [openai_model(n, base_url=provider.url, api_key="sk-test", timeout=5.0) for n in names or ("gpt-test",)]
    return ChatModels("gpt-test", made[0], made[1] if len(made) > 1 else None, timeout=5.0, back_off=0.0)


async def ask(provider: Provider, *replies: Reply, models: ChatModels | None = None) -> Asked:
    provider.replies = list(replies)
    told: list[str] = []

    async def on_text(delta: str) -> None:
        told.append(delta)

    async def nowhere(_frame: dict[str, Any]) -> None: ...

    turn = Turn(
        who=ASHA, conversation_id="cnv_1", turn_id="trn_1", message_id="m1", emit=nowhere, clock=ManualClock(START),
        deadline=asyncio.get_running_loop().time() + 20, limits=Limits(),
    )  # fmt: skip
    tools = [tool.schema() for tool in Shop().registry().offered_to(ASHA)]
    messages = [
        SystemMessage("You sell shoes."),
        HumanMessage("red shoes"),
        AIMessage("", tool_calls=[{"name": "view_cart", "args": {}, "id": "call_before"}]),
        ToolMessage('{"ok": true}', tool_call_id="call_before"),
    ]
    answer = await (models or models_of(provider)).ask(messages, tools, turn, on_text)
    return Asked(answer, "".join(told), turn)


async def test_text_is_streamed_as_it_comes_and_usage_is_counted(provider: Provider) -> None:
    asked = await ask(provider, Reply("Here are red shoes."))
    assert asked.told.strip() == "Here are red shoes."
    assert asked.answer.text.strip() == "Here are red shoes."
    assert (asked.turn.usage.input_tokens, asked.turn.usage.output_tokens) == (20, 5)
    assert asked.turn.usage.model_ms > 0


async def test_tools_and_earlier_results_are_sent_in_the_format_of_the_api(provider: Provider) -> None:
    await ask(provider, Reply("Hello."))
    sent = provider.requests[0]
    assert sent["stream"] is True
    assert sent["temperature"] == 0
    assert {tool["function"]["name"] for tool in sent["tools"]} >= {"search_products", "place_order"}
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "tool"]
    assert sent["messages"][3]["tool_call_id"] == "call_before"
    assert provider.keys == ["Bearer sk-test"]


async def test_tool_calls_that_come_in_pieces_are_put_together(provider: Provider) -> None:
    search = ("search_products", '{"query": "red shoes", "max_price": 2000}')
    asked = await ask(provider, Reply(calls=(search, ("view_cart", "{}"))))
    assert [(call["name"], call["args"]) for call in asked.answer.tool_calls] == [
        ("search_products", {"query": "red shoes", "max_price": 2000}),
        ("view_cart", {}),
    ]
    assert asked.told == ""


async def test_a_plain_answer_carries_the_same_tool_calls(provider: Provider) -> None:
    provider.replies = [Reply(calls=(("search_products", '{"query": "red"}'),))]
    model = openai_model("gpt-test", base_url=provider.url, api_key=None, timeout=5.0)
    tools = [tool.schema() for tool in Shop().registry().offered_to(ASHA)]
    answer = await model.bind_tools(tools).ainvoke([HumanMessage("red shoes")])
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("search_products", {"query": "red"})]
    assert not provider.requests[0].get("stream")
    assert provider.keys == ["Bearer none"]


async def test_arguments_that_are_not_json_are_kept_as_an_invalid_call(provider: Provider) -> None:
    asked = await ask(provider, Reply(calls=(("search_products", "query: red shoes}"),)))
    assert asked.answer.tool_calls == []
    assert [call["name"] for call in asked.answer.invalid_tool_calls] == ["search_products"]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_failure_is_tried_again_and_counted_once(provider: Provider, status: int) -> None:
    asked = await ask(provider, Reply(status=status), Reply("Hello."))
    assert asked.told.strip() == "Hello."
    assert len(provider.requests) == 2
    assert asked.turn.usage.input_tokens == 20


async def test_the_stand_in_answers_when_the_first_model_stays_away(provider: Provider) -> None:
    failures = [Reply(status=500)] * 3
    models = models_of(provider, "gpt-test", "gpt-small")
    asked = await ask(provider, *failures, Reply("Hello."), models=models)
    assert asked.told.strip() == "Hello."
    assert [request["model"] for request in provider.requests] == ["gpt-test"] * 3 + ["gpt-small"]


async def test_a_model_that_never_answers_is_away(provider: Provider) -> None:
    with pytest.raises(ModelAway):
        await ask(provider, *[Reply(status=500)] * 3)
    assert len(provider.requests) == 3


async def test_text_that_was_told_already_is_not_told_twice_after_a_broken_stream(provider: Provider) -> None:
    with contextlib.suppress(ModelAway):
        await ask(provider, Reply("One two three.", cut=True), Reply("Once more."))
    assert len(provider.requests) == 1
