"""Free text from outside: stripped of HTML before it is kept."""

import html
import unicodedata
from typing import Annotated

import nh3
from pydantic import AfterValidator, StringConstraints


def plain(text: str) -> str:
    """Text without markup and control characters; entities are decoded, so that `&` stays one character."""
    cleaned = text
    if "<" in text or "&" in text:
        cleaned = html.unescape(nh3.clean(text, tags=set(), clean_content_tags={"script", "style"}))
    if "<" in cleaned:
        cleaned = html.unescape(nh3.clean(cleaned, tags=set()))
    if cleaned.isprintable():
        return cleaned.strip()
    return "".join(c for c in cleaned if c in "\n\t" or unicodedata.category(c)[0] != "C").strip()


PlainText = Annotated[str, AfterValidator(plain)]
ShortText = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(plain), StringConstraints(min_length=1)
]
LongText = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(plain)]
