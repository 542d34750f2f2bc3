# ruff: noqa: E501 - patterns and word lists read best unbroken
"""Several wishes in one sentence, apart."""

import re

_ACTION = (
    r"(?:add|put|remove|delete|drop|take (?:out|off)|check ?out|place (?:the|my|an) order|order (?:it|them|now)|buy (?:it|them|now)|pay(?: now| for)?|cancel|"
    r"track|clear|empty|compare|show|find|search|list|view|open|tell me|what(?:'s| is| are)|where(?:'s| is)|how much|proceed|complete|"
    r"change|make it|set|update|go to|give me the total|then|daal|hata|dikhao|cart me|order kar|pehla|dusra|tell)"
)
_CUT = re.compile(
    rf"\s*(?:;|\.(?=\s)|\bthen\b|\bphir\b|\bafter that\b)\s*(?:and\s+|then\s+)?|\s*(?:,\s*(?:and\s+|then\s+|aur\s+)?|\b(?:and|aur|&|plus)\s+(?:then\s+|also\s+|please\s+)?)(?={_ACTION}\b)",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^\s*(?:hi|hello|hey|namaste|good (?:morning|evening|afternoon))(?: there)?\s*[,!.]\s*(?=\S)", re.IGNORECASE
)
_LONGEST = 400


def clauses(text: str) -> list[str]:
    """The parts of a sentence that may each be a wish; the caller joins again what turns out to be one."""
    text = _GREETING.sub("", text[:_LONGEST] if len(text) > _LONGEST else text)
    parts = [part.strip(" ,") for part in _CUT.split(text)]
    return [part for part in parts if part] or [text]
