"""Prices as Indian shops print them: ₹149, ₹1,499, ₹24,990. Rupees in, paise out."""


def believable(rupees: float) -> int:
    """The nearest price that looks like one, in paise."""
    step, below = _ending(rupees)
    return max(step - below, round(rupees / step) * step - below) * 100


def compare_at(price: int, discount: float) -> int | None:
    """The price before a discount of this share, or None without one."""
    if not discount:
        return None
    before = believable(price / 100 / (1 - discount))
    return before if before > price else None


def _ending(rupees: float) -> tuple[int, int]:
    if rupees < 200:
        return 10, 1
    if rupees < 10_000:
        return 50, 1
    return 500, 10
