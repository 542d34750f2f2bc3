"""Words of the notifications: Jinja2 files, one for each template.

A file's first line is the subject, the second a sentence for the screen; after an empty line follows the text of
the mail. The HTML part is the same text in `mail.html`, escaped.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.contracts.notifications import AccountMail
from services.kit.events import Event
from services.kit.money import Money
from services.notifications.models import TEMPLATES, Rendered

FOLDER = Path(__file__).parent.parent / "templates"


class Templates:
    """Renders an event for the one it is told to. A name that a template needs and the event lacks is an error."""

    def __init__(self, *, shop_name: str = "Cohort", folder: Path = FOLDER) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=select_autoescape(["html"], default_for_string=True, default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters.update(money=_money, line=_line)
        self._environment.globals["shop"] = shop_name

    def render(self, event: Event, name: str) -> Rendered:
        return self._rendered(TEMPLATES[event.TYPE], name, event=event)

    def render_account(self, template: AccountMail, name: str, data: dict[str, str]) -> Rendered:
        """A mail about the account; `data` are the facts its words need."""
        return self._rendered(template, name, **data)

    def _rendered(self, template: str, name: str, **facts: object) -> Rendered:
        words = self._environment.get_template(f"{template}.txt").render(name=_line(name), **facts)
        head, _, text = words.partition("\n\n")
        subject, _, short = head.partition("\n")
        subject, text = _line(subject), text.strip() + "\n"
        paragraphs = [paragraph.splitlines() for paragraph in text.strip().split("\n\n")]
        html = self._environment.get_template("mail.html").render(subject=subject, paragraphs=paragraphs)
        return Rendered(subject=subject, short=_line(short), text=text, html=html)


def _money(paise: int) -> str:
    return Money(amount=paise).text()


def _line(text: str) -> str:
    """One line, as headers and greetings need it."""
    return " ".join(text.split())
