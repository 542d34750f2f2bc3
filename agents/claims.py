# ruff: noqa: E501 - patterns read best unbroken
"""Which deeds a sentence says have happened. Questions, conditions, offers and denials say nothing of the kind."""

import re
from collections.abc import Iterator
from itertools import pairwise

_BE = r"(?:is|are|was|were|has been|have been|had been|got|gets|'s been|'ve been|being|now)"
_BOUGHT = r"(?:placed|confirmed|booked|completed|complete|submitted|gone through|went through|successful|in)"


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


CLAIMS: dict[str, re.Pattern[str]] = {
    "add_to_cart": _pattern(
        r"added|(?:i|we)(?:'ve| have)? put\b.*\b(?:cart|basket|bag)|(?:is|are|now|it's) in your (?:cart|basket|bag)"
    ),
    "remove_from_cart": _pattern(r"removed|deleted|took (?:\w+ ){0,3}out|taken out|out of your cart"),
    "clear_cart": _pattern(r"emptied|cleared"),
    "update_cart_item": _pattern(r"(?:updated|changed|increased|reduced|set)\b.*\b(?:quantity|cart)|quantity is (?:now|changed)"),
    "place_order": _pattern(
        rf"(?:order|purchase|checkout|booking)\b[^.!?]{{0,60}}?\b(?:{_BE}\s+)?(?:successfully\s+)?(?:placed|confirmed|booked|submitted|gone through|went through|complete|completed|successful)"
        rf"|(?:placed|confirmed|booked|submitted|completed) (?:your|the|an|this) (?:order|purchase)|(?:have|'ve|i|we) (?:just )?(?:ordered|bought|purchased)|(?:{_BE}) (?:ordered|bought|purchased)|ordered for you"
    ),
    "cancel_order": _pattern(r"cancelled|canceled|called off|cancellation (?:is |was |has been )?(?:done|complete|completed|confirmed|successful)"),
    "pay_order": _pattern(
        rf"paid|charged|debited|payment\b[^.!?]{{0,40}}?\b(?:received|successful|succeeded|complete|completed|done|confirmed|captured|accepted|processed|gone through|went through|{_BOUGHT})|money (?:has )?(?:been )?(?:received|taken)"
    ),
    "refund": _pattern(
        r"refunded|refund\b[^.!?]{0,40}?\b(?:issued|initiated|processed|approved|started|done|complete|completed|sent|made|on (?:its|the) way|coming|underway|will (?:reach|arrive|be))|(?:issued|initiated|processed|started|approved|made|sent) (?:you |your |a |the |full )*refund|(?:money|goes?|going|sent|paid) back to (?:you|your)"
    ),
    "add_address": _pattern(r"(?:saved|added|stored)\b.*\baddress|address\b.*\b(?:saved|added|stored)"),
    "change_order_address": _pattern(r"(?:changed|updated)\b.*\baddress|address\b.*\b(?:changed|updated)"),
    "request_return": _pattern(r"return\b[^.!?]{0,30}?\b(?:requested|approved|accepted|arranged|booked|scheduled|started)|(?:requested|arranged|booked|started) (?:a|the|your) return"),
    "shipped": _pattern(r"shipped|dispatched|order\b[^.!?]{0,30}?\bon (?:its|the) way|out for delivery"),
    "delivered": _pattern(r"delivered"),
    "discount": _pattern(r"(?:discount|coupon|promo\w*|offer|cashback)\b[^.!?]{0,30}?\b(?:applied|added|given|granted|activated)|(?:applied|gave you|given you|granted)\b[^.!?]{0,30}?\b(?:discount|coupon|promo\w*|off)|(?:lowered|reduced|dropped|changed) the price|price (?:is|was|has been) (?:lowered|reduced|dropped|changed)"),
    "hand_over": _pattern(r"(?:connected|transferred|handed|forwarded|escalated)\b.*\b(?:you|agent|person|human|support|team|colleague)"),
}  # fmt: skip
_CLAUSE = re.compile(r"\s*[,;:\u2013\u2014()]\s*|\s+-\s+|\s+(?:and|but|so|then)\s+", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:not|never|nothing|nobody|none|neither|cannot|can't|couldn't|wasn't|weren't|isn't|aren't|hasn't|haven't|didn't|don't|doesn't|won't|without|unable"
    r"|yet to|no|can|could|should|shall|would|want|wants|may|might|must|need|needs|to be|please|how|what|which|where|who)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:if|once|when|whenever|until|unless|before|after|as soon as|in case)\b", re.IGNORECASE)
_ASKING = re.compile(
    r"^\W*(?:shall|should|do|does|did|would|could|can|will|is|are|was|were|has|have|had|what|which|who|how|where|when|why|or|want)\b",
    re.IGNORECASE,
)
_NEAR = 40


def claimed(sentence: str) -> set[str]:
    """The deeds a sentence claims to have happened, by the name of the tool or the state."""
    deeds: set[str] = set()
    if _CONDITION.match(sentence.lstrip(" \n\"'*-")):
        return deeds
    for clause in _clauses(sentence):
        deeds |= {deed for deed, pattern in CLAIMS.items() if _claims(pattern, clause)}
    return deeds - ({"add_to_cart"} if deeds & {"add_address", "discount"} else set())


def _clauses(sentence: str) -> Iterator[str]:
    """Parts that stand for themselves; of a question, the part that asks is left out."""
    parts = [part for part in _CLAUSE.split(sentence) if part.strip()]
    asks = sentence.rstrip().endswith("?")
    if asks and parts and _ASKING.match(parts[0]):
        return
    yield from parts[:-1] if asks else parts
    if not asks and len(parts) > 1:
        yield from (f"{a} {b}" for a, b in pairwise(parts) if not _DENIAL.search(a))


def _claims(pattern: re.Pattern[str], clause: str) -> bool:
    return any(_asserted(clause, found) for found in pattern.finditer(clause))


def _asserted(clause: str, found: re.Match[str]) -> bool:
    before, inside = clause[max(0, found.start() - _NEAR) : found.start()], found.group()
    after = clause[found.end() :]
    return not (_DENIAL.search(before) or _DENIAL.search(inside) or _CONDITION.search(f"{before} {inside} {after}"))
