"""The fresh sentences, and how an answer to one is counted."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from agents.models.offline import OfflinePlanner
from agents.models.offline.slots.lexicon import stem
from tests.agents.models.offline.situations import LOOKING, NEW, ORDERS, PENDING, SHOPPING, Json, messages

SITUATIONS: dict[str, Json] = {
    "new": NEW, "seller": NEW, "looking": LOOKING, "focused": {**LOOKING, "focus": "prd_2"}, "shopping": SHOPPING,
    "choosing": {**SHOPPING, "focus": "prd_2", "pending": PENDING}, "bought": {**NEW, "cart": None, "orders": ORDERS},
}  # fmt: skip
_ASIDE = {"query", "in_stock"}


@dataclass(frozen=True)
class Fresh:
    """`args` of several calls are a list; None counts any arguments as right."""

    situation: str
    said: str
    tool: str
    args: Any = None
    words: str = ""
    ask: str | None = None
    asks: bool = field(default=False)


@dataclass(frozen=True)
class Counted:
    """`tool`: its name is right. `whole`: its arguments are too, or the question back is about the right thing."""

    fresh: Fresh
    got: str
    tool: bool
    whole: bool


def fresh() -> list[Fresh]:
    rows = yaml.safe_load(Path(__file__).with_name("fresh.yaml").read_text("utf-8"))
    return [
        Fresh(
            row["in"], row["say"], row["tool"], row.get("args"), row.get("words", ""), row.get("ask"), asks="ask" in row
        )
        for row in rows
    ]


def count(planner: OfflinePlanner, case: Fresh) -> Counted:
    """Search words count by containing what was asked for; `in_stock` and the default payment method are left aside."""
    message = planner.invoke(messages(case.said, SITUATIONS[case.situation]))
    calls = [(call["name"], call["args"]) for call in message.tool_calls]
    names = {name for name, _ in calls} or {""}
    right_tool = names == {case.tool}
    ask = (message.additional_kwargs.get("ask") or {}).get("slot")
    right_ask = case.ask is None or ask == case.ask
    return Counted(
        case, f"{calls or message.text} {ask or ''}", right_tool, right_tool and right_ask and _args(case, calls)
    )


def _args(case: Fresh, calls: list[tuple[str, Json]]) -> bool:
    if case.args is None or not calls:
        return True
    wanted = case.args if isinstance(case.args, list) else [case.args]
    got = [_plain(args, wanted[0]) for _, args in calls]
    query = {stem(word) for _, args in calls for word in str(args.get("query", "")).lower().split()}
    return got == wanted and {stem(word) for word in case.words.split()} <= query


def _plain(args: Json, wanted: Json) -> Json:
    left = {name: value for name, value in args.items() if name not in _ASIDE}
    if left.get("payment_method") == "razorpay" and "payment_method" not in wanted:
        del left["payment_method"]
    return left
