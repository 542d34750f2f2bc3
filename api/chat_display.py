"""How the terminal client shows frames: streamed words, product tables, carts, orders, questions."""

from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.kit.money import Money

Frame = dict[str, Any]


def money(raw: Any) -> str:
    """₹1,499 for a money object or an amount in paise."""
    return Money.from_wire(raw if isinstance(raw, dict) else {"amount": raw}).text()


class Display:
    """Shows one frame at a time. Text of the shop is never read as markup."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._in_answer = False
        self._streamed = ""

    def show(self, frame: Frame) -> None:
        """Print what a frame has to say; frames without anything to say are passed over."""
        kind = str(frame["type"])
        if kind == "token":
            self._token(str(frame["text"]))
            return
        shows = {
            "tool_start": self._tool,
            "products": self._products,
            "cart": self._cart,
            "order": self._order,
            "answer": self._answer,
            "approval_request": self._question,
            "approval_closed": self._closed,
            "notification": self._notification,
            "error": self._error,
        }
        if kind in shows:
            if kind != "answer":
                self._end_line()
            shows[kind](frame)

    def say(self, text: str, style: str = "dim") -> None:
        self._end_line()
        self.console.print(Text(text, style=style))

    def _token(self, text: str) -> None:
        self._in_answer = True
        self._streamed += text
        self.console.print(Text(text), end="", soft_wrap=True)

    def _end_line(self) -> None:
        if self._in_answer:
            self.console.print()
            self._in_answer = False

    def _answer(self, frame: Frame) -> None:
        """The answer was streamed already, unless its tokens were missed."""
        streamed, self._streamed = self._streamed.strip(), ""
        self._end_line()
        if not streamed:
            self.console.print(Text(str(frame["text"])))

    def _tool(self, frame: Frame) -> None:
        said = ", ".join(f"{name} {value}" for name, value in frame["args"].items())
        self.console.print(Text(f"· {str(frame['name']).replace('_', ' ')} {said}".rstrip(), style="dim"))

    def _products(self, frame: Frame) -> None:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("#", "product", "brand", "price", "rating", "in stock"):
            table.add_column(name, justify="right" if name in {"#", "price", "rating", "in stock"} else "left")
        for n, card in enumerate(frame["items"], start=1):
            table.add_row(*(Text(cell) for cell in _card(n, card)))
        self.console.print(table)

    def _cart(self, frame: Frame) -> None:
        cart = frame["cart"]
        if not cart["items"]:
            self.console.print(Text("The cart is empty.", style="dim"))
            return
        self.console.print(_lines("cart", cart["items"], cart))
        for notice in cart.get("notices", []):
            self.console.print(Text(str(notice["message"]), style="yellow"))

    def _order(self, frame: Frame) -> None:
        order = frame["order"]
        state = f"{order['status']}, {order['paymentStatus']}, {money(order['total'])}"
        self.console.print(Text(f"Order {order['orderId']}: {state}", style="bold"))

    def _question(self, frame: Frame) -> None:
        quote = frame["quote"]
        self.console.print(Panel(_lines("", quote["lines"], quote), title=Text(str(frame["summary"])), expand=False))
        address = quote.get("address")
        if address:
            where = ", ".join(str(address[k]) for k in ("name", "street", "city", "state", "zipCode") if address.get(k))
            self.console.print(Text(f"To {where}", style="dim"))

    def _closed(self, frame: Frame) -> None:
        if frame["reason"] != "approved":
            self.console.print(Text(f"The question is closed: {frame['reason']}.", style="dim"))

    def _notification(self, frame: Frame) -> None:
        self.console.print(Text(f"✉ {frame['notification']['subject']}", style="cyan"))

    def _error(self, frame: Frame) -> None:
        self.console.print(Text(str(frame["message"]), style="red"))


def _card(n: int, card: Frame) -> tuple[str, ...]:
    options = " · ".join(
        [*card.get("colours", [])[:3], *(["sizes " + ", ".join(card["sizes"])] if card.get("sizes") else [])]
    )
    title = f"{card['title']}\n{options}" if options else str(card["title"])
    rating = card.get("rating") or {}
    stars = f"{rating['average']:.1f} ({rating['count']})" if rating.get("count") else "–"
    return str(n), title, str(card.get("brand") or ""), money(card["price"]), stars, str(card["available"])


def _lines(title: str, lines: list[Frame], sums: Frame) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", title=title or None, title_justify="left")
    for name in ("item", "qty", "amount"):
        table.add_column(name, justify="left" if name == "item" else "right")
    for line in lines:
        options = ", ".join(str(value) for value in (line.get("options") or {}).values())
        name = f"{line['title']} ({options})" if options else str(line["title"])
        table.add_row(Text(name), str(line["qty"]), money(line["lineTotal"]) if "lineTotal" in line else "")
    for name in ("discount", "shipping"):
        if (sums.get(name) or {}).get("amount"):
            table.add_row(name, "", money(sums[name]))
    table.add_row(Text("total", style="bold"), "", Text(money(sums["total"]), style="bold"))
    return table
