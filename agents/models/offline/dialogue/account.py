"""Preferences, policies, and talk that needs no tool."""

import re

from agents.models.offline.dialogue.wish import Wish
from agents.models.offline.moves import Ask, Move, Say, act
from agents.models.offline.slots.wishes import MATERIALS

_TOPICS = (
    (
        "returns",
        re.compile(r"return|refund|exchange|money back|replace|damag|retrun|wapas|wapis|restock|defect|don'?t like"),
    ),
    ("payment", re.compile(r"pay|cod\b|cash|upi|card|emi|instal|gst|invoice|secure|wallet|paise")),
    (
        "shipping",
        re.compile(r"ship|deliver|courier|days|din\b|charges|pincode|pin code|reach|free|fast|dispatch|abroad"),
    ),
)
_SIZE = re.compile(r"\b(?:uk|us|eu)?\s*(?P<size>\d{1,2}(?:\.5)?|xxl|xl|xs|[sml]|small|medium|large)\b(?!')")
_FORGET = re.compile(r"\b(?:forget|delete|clear|remove|bhool)\b")
_KEYS = (
    ("size", re.compile(r"\bsiz\w*|\bwear\b|\bpehen|\btake a\b|saiz")),
    ("budget", re.compile(r"budget|spend|budjet")),
    ("brand", re.compile(r"brand")),
    ("colour", re.compile(r"colou?r|rang\b")),
)


def get_preferences(wish: Wish) -> Move | None:
    return None if wish.done("get_preferences") else act("get_preferences")


def set_preference(wish: Wish) -> Move | None:
    if wish.done("set_preference"):
        return None
    stated = _stated(wish)
    if stated is None:
        return Say("ask_preference", ask=Ask("set_preference", {}, "preference"))
    return act("set_preference", key=stated[0], value=stated[1])


def _stated(wish: Wish) -> tuple[str, str] | None:
    slots, said = wish.slots, wish.slots.said.lower()
    key = next((name for name, pattern in _KEYS if pattern.search(said)), None)
    if _FORGET.search(said):
        return (key, "") if key else None
    if slots.brands:
        return "brand", slots.brands[0]
    if slots.prices.any or key == "budget":
        return _budget(wish)
    if slots.colours and key != "size":
        return "colour", slots.colours[0]
    size = slots.size or _size_said(said, key)
    if size:
        return _size_key(said), size.upper() if size.isalpha() and len(size) <= 3 else size
    return _material(said)


def _budget(wish: Wish) -> tuple[str, str] | None:
    high = wish.slots.prices.high or wish.slots.prices.low
    number = re.search(r"\b(\d{3,7})\b", wish.slots.said.replace(",", ""))
    amount = f"{high:g}" if high else number.group(1) if number else None
    return ("budget", amount) if amount else None


def _size_said(said: str, key: str | None) -> str | None:
    found = _SIZE.search(said) if key == "size" else None
    return found["size"] if found else None


def _size_key(said: str) -> str:
    return "shoe_size" if re.search(r"\bshoes?\b|\bj(?:oo|u)t[aey]\w*|sneaker|\buk\b", said) else "size"


def _material(said: str) -> tuple[str, str] | None:
    found = next((word for word in re.findall(r"[a-z]+", said) if word in MATERIALS), None)
    return ("material", found) if found else None


def policy(wish: Wish) -> Move | None:
    if wish.done("store_policy"):
        return None
    said = wish.slots.said.lower()
    topic = next((name for name, pattern in _TOPICS if pattern.search(said)), None)
    if topic is None:
        return Say("ask_topic", ask=Ask("store_policy", {}, "topic", [{"topic": name} for name, _ in _TOPICS]))
    return act("store_policy", topic=topic)


def human(wish: Wish) -> Move | None:
    if wish.done("hand_over"):
        return None
    return act("hand_over", reason=wish.slots.said[:200]) if wish.turn.may_call("hand_over") else Say("no_human")


def greet(wish: Wish) -> Move | None:
    return Say("greet", {"name": wish.state.name})


def thanks(_: Wish) -> Move | None:
    return Say("thanks")


def help_(wish: Wish) -> Move | None:
    return Say("help", {"seller": wish.turn.bound is not None and wish.turn.may_call("seller_metrics")})


def out_of_scope(_: Wish) -> Move | None:
    return Say("out_of_scope")


def bargain(wish: Wish) -> Move | None:
    return Say("no_bargain", {"shown": bool(wish.state.shown)})


def undo(wish: Wish) -> Move | None:
    return Say("no_undo", {"cart": bool(wish.state.cart)})


def not_allowed(_: Wish) -> Move | None:
    return Say("not_allowed")


def affirm(wish: Wish) -> Move | None:
    return Say("yes_to_what", {"cart": bool(wish.state.cart)})


def deny(_: Wish) -> Move | None:
    return Say("left_alone")
