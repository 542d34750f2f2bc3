"""The planner keeps to what LangChain promises of a chat model."""

import time
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from pydantic import BaseModel

from agents.models.offline import OfflinePlanner
from tests.agents.models.offline.situations import LOOKING, NEW, PENDING, SHOPPING, Json, messages

TEXTS = ["red sneakers under 2000", "help", "checkout", "add it to my cart", "add the first and the third", "hello"]


class search_products(BaseModel):  # noqa: N801 - a tool is named by its class here
    """Search."""

    query: str = ""
    colour: str | None = None
    max_price: float | None = None


class view_cart(BaseModel):  # noqa: N801
    """See the cart."""


def whole(planner: OfflinePlanner, text: str, state: Json) -> AIMessageChunk:
    chunks = [chunk for chunk in planner.stream(messages(text, state)) if isinstance(chunk, AIMessageChunk)]
    assert chunks[-1].chunk_position == "last"
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    return total


def without_ids(message: AIMessage) -> tuple[str, list[tuple[str, Any]], dict[str, Any]]:
    return str(message.content), [(c["name"], c["args"]) for c in message.tool_calls], message.additional_kwargs


@pytest.mark.parametrize("text", TEXTS)
def test_streamed_parts_add_up_to_the_whole(text: str, planner: OfflinePlanner) -> None:
    assert without_ids(whole(planner, text, SHOPPING)) == without_ids(planner.invoke(messages(text, SHOPPING)))


async def test_it_works_asynchronously(planner: OfflinePlanner) -> None:
    message = await planner.ainvoke(messages("red sneakers under 2000", NEW))
    parts = [chunk async for chunk in planner.astream(messages("help", NEW))]
    assert message.tool_calls[0]["name"] == "search_products"
    assert len(parts) > 2


def test_the_same_messages_give_the_same_answer(planner: OfflinePlanner) -> None:
    first, second = (planner.invoke(messages("in black", LOOKING)) for _ in range(2))
    assert without_ids(first) == without_ids(second)


@pytest.mark.parametrize("text", ["checkout", "add the first one", "where is my order", "revenue last month"])
def test_a_tool_that_is_not_bound_is_never_called(text: str, planner: OfflinePlanner) -> None:
    bound = planner.bind_tools([search_products, view_cart])
    message = bound.invoke(messages(text, SHOPPING))
    assert not message.tool_calls
    assert message.text


def test_arguments_keep_to_the_bound_schema(planner: OfflinePlanner) -> None:
    message = planner.bind_tools([search_products]).invoke(messages("red sneakers under 2000", NEW))
    assert message.tool_calls[0]["args"] == {"query": "sneakers", "colour": "Red", "max_price": 2000}


def test_it_names_itself(planner: OfflinePlanner) -> None:
    assert planner._llm_type == "cohort-offline"


def test_usage_is_told_and_free(planner: OfflinePlanner) -> None:
    usage = planner.invoke(messages("help", NEW)).usage_metadata
    assert usage is not None
    assert usage["total_tokens"] == 0


def test_it_works_without_an_embedder(planner_without_embedder: OfflinePlanner) -> None:
    message = planner_without_embedder.invoke(messages("red sneakers under 2000", NEW))
    assert message.tool_calls[0]["name"] == "search_products"


@pytest.mark.parametrize("text", ["", " ", "?", "§§§", "💥" * 50, "a" * 20_000, "add " * 5_000, "{{ 7*7 }}", "\x00"])
def test_strange_text_ends_in_an_answer_soon(text: str, planner: OfflinePlanner) -> None:
    started = time.perf_counter()
    message = planner.invoke(messages(text, {**SHOPPING, "pending": PENDING}))
    assert message.tool_calls or message.text
    assert time.perf_counter() - started < 20  # a pattern that explodes would take minutes


def test_messages_without_state_are_understood(planner: OfflinePlanner) -> None:
    assert planner.invoke([HumanMessage("red sneakers")]).tool_calls[0]["name"] == "search_products"
