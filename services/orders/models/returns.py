"""Goods on their way back: which pieces may return, and what was paid for exactly these."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from services.contracts.orders import Part, Return, ReturnLine, ReturnLineIn, ReturnNotPossible
from services.kit.errors import Invalid
from services.kit.money import inr, split_by_largest_remainder
from services.orders.models.billing import SoldLine


def requested_pieces(
    lines: Mapping[str, SoldLine], returns: Iterable[Return], wanted: Sequence[ReturnLineIn]
) -> list[tuple[SoldLine, int]]:
    """The lines and how many pieces of each. Raises Invalid, ReturnNotPossible."""
    if len({each.line_id for each in wanted}) < len(wanted):
        raise Invalid("name each line once", field="lines")
    on_the_way = Counter[str]()
    for each in returns:
        if each.status == "requested":
            on_the_way.update({line.line_id: line.qty for line in each.lines})
    return [_pieces(lines, on_the_way, each) for each in wanted]


def _pieces(lines: Mapping[str, SoldLine], on_the_way: Counter[str], wanted: ReturnLineIn) -> tuple[SoldLine, int]:
    line = lines.get(wanted.line_id)
    if line is None:
        raise Invalid(f"the order has no line {wanted.line_id}", field="lines")
    left = line.qty - line.returned_qty - on_the_way[line.line_id]
    qty = left if wanted.qty is None else wanted.qty
    if not 0 < qty <= left:
        raise ReturnNotPossible(
            f"{left} of {line.title} can be returned" if left else f"{line.title} is returned already",
            field="lines",
            details={"lineId": line.line_id, "left": left},
        )
    return line, qty


def require_window(part: Part, now: datetime, window: timedelta) -> None:
    """Raises ReturnNotPossible unless the part was delivered and its time is not over."""
    if part.status != "delivered" or part.delivered_at is None:
        raise ReturnNotPossible(
            f"only what was delivered can be returned; this is {part.status}", details={"status": part.status}
        )
    until = part.delivered_at + window
    if now >= until:
        raise ReturnNotPossible(f"returns ended on {until:%d %B %Y}", details={"until": until.isoformat()})


def paid_for(line: SoldLine, qty: int) -> int:
    """Paise paid for the next `qty` pieces of the line that were not returned; all pieces add up to its total."""
    pieces = split_by_largest_remainder(line.line_total.amount, [1] * line.qty)
    return sum(pieces[line.returned_qty : line.returned_qty + qty])


def drawn_up(
    return_id: str, seller_id: str, pieces: Sequence[tuple[SoldLine, int]], reason: str, now: datetime
) -> Return:
    lines = tuple(ReturnLine(line_id=line.line_id, qty=qty, refund=inr(paid_for(line, qty))) for line, qty in pieces)
    return Return(
        return_id=return_id,
        seller_id=seller_id,
        status="requested",
        lines=lines,
        refund=inr(sum(line.refund.amount for line in lines)),
        reason=reason,
        requested_at=now,
    )


def with_pieces_back(line: SoldLine, qty: int) -> SoldLine:
    due = line.refund_due.amount + paid_for(line, qty)
    return line.model_copy(update={"returned_qty": line.returned_qty + qty, "refund_due": inr(due)})
