# ruff: noqa: E501 - patterns and word lists read best unbroken
"""The words that are left: what to look for."""

import re

from agents.models.offline.slots.lexicon import HINGLISH_THINGS

_LEADS = re.compile(
    r"^(?:please|pls|plz|kindly|hi|hello|hey|ok|okay|so|yes|yeah|no|and|also|then|but|now|actually|instead|rather|maybe|well|um|just|for|aur|phir|bhai|bhaiya|yaar|"
    r"(?:add|put|throw in|stick|include)(?= )|(?:forget|leave|drop) (?:that|it|them|this)|never ?mind|on second thoughts?|(?:what(?:'s| is| are)|which(?: one)?(?: is| are)?) (?:the |your )*(?=§|$)|"
    r"(?:can|could|would|will) (?:you|u|i|we)(?: please)?(?: (?:help me|assist me))?(?: to)?|help me(?: to)?|"
    r"(?:i'?m|i am|im|we are|we're) (?:\w+ )?(?:looking|searching|hunting|shopping|trying to find|in (?:a )?search|in need|interested|after|in the market)\w*(?: (?:for|of|in|to (?:buy|get|find|purchase)))?|"
    r"(?:i|we)(?:'?d| would|'ll| will)? (?:really |also |just |only )?(?:like|love|want|need|wanna|prefer|require|wish|search(?:ing)?|look(?:ing)?)(?: (?:to (?:buy|get|find|see|have|purchase|order|look (?:for|at)|own|eat|drink|try)|for|you to (?:find|get|show)))?|"
    r"(?:show|find|get|give|bring|buy|fetch|order|search|suggest|recommend|locate|look|browse|help)(?: me| us| for| out| to find| with)*|do (?:you|u|we) (?:have|sell|stock|carry)|have you got|got|"
    r"is there|are there|any|where can i (?:buy|get|find)|looking for|searching for|search for|need|want|wanna(?: buy)?|buying|shopping for|in search of|"
    r"what about|how about|maybe|something|anything|things|stuff|options|products?|items?|some|a|an|the|few|couple of|me|mujhe|muje|mereko|mere liye|hume|humko|koi|kuch|kya|aapke paas|ek|zara|show|dikhao|"
    r"in|with|of|that|which|is|are|it|them|those|these|only|more|other|different|same|similar)\b[\s,]*"
)
_TAILS = re.compile(
    r"[\s,]*\b(?:instead|kaunsa|kaunsi|kaunse|konsa|konsi|konse|na|please|pls|plz|thanks|thank you|chahiye|chaiye|chahie|dikhao|dikha do|dikhana|dikhaiye|dikhado|batao|hai kya|hain kya|hai|milega|milegi|milenge|do|de do|"
    r"for me|if possible|and|or|with|in|for|of|the|a|an|to|priced?|cost(?:s|ing)?|that|which|is|are|it|ones?|ka|ki|ke|me|mein|wal[aeiy]|available|right now|only|but|at|from|by|and price|need to buy it|i need|dena|lena hai|lena|khareedna hai|kharidna hai)\s*$"
)
_COLOUR = re.compile(
    r"(?:\b(?:in|of|and|that (?:is|are)|which (?:is|are)|it should(?: also)? be|should be|is|are|with|a|an|the|colou?r)\s+)*§colour(?:\s+(?:and|or|&)\s+§colour)*(?:\s+colou?r(?:ed|s)?\b)?"
)
_MARKS = re.compile(r"\s*,?\s*§\w+\s*,?\s*")
_LOOSE = re.compile(
    r"\b(?:and|with|of|in)?\s*(?:price|cost|budget|rate)s?\s*$|\bprice(?:d)?(?: is| should be)?(?=\s*(?:$|,))"
)
_NOISE = re.compile(r"[?!;:\"()]+|\.(?!\d)|(?<!\d),|,(?!\d)")


def left_over(text: str) -> str:
    """The search words of a draft's text, without marks, courtesies and empty ends."""
    words = _NOISE.sub(" ", _LOOSE.sub(" ", _MARKS.sub(" ", _COLOUR.sub(" ", text))))
    words = re.sub(r"\s+", " ", words).strip(" -'")
    words = _strip(_LEADS, words)
    words = _strip(_TAILS, words)
    return " ".join(HINGLISH_THINGS.get(word, word) for word in words.split())


def _strip(pattern: re.Pattern[str], words: str) -> str:
    while True:
        shorter = pattern.sub("", words, count=1).strip(" -',")
        if shorter == words:
            return words
        words = shorter
