"""The shop's policies as customers read them."""

from importlib import resources


def text(topic: str) -> str:
    """The policy's text without its header. Raises KeyError for a topic that does not exist."""
    if topic not in topics():
        raise KeyError(topic)
    raw = resources.files(__name__).joinpath(f"{topic}.md").read_text("utf-8")
    return raw.split("---", 2)[2].strip()


def topics() -> list[str]:
    return sorted(
        entry.name.removesuffix(".md") for entry in resources.files(__name__).iterdir() if entry.name.endswith(".md")
    )
