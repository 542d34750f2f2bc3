"""How a bar says what it measured."""

from collections.abc import Sequence


def measured(bar: str, trials: int, violations: Sequence[str], seed: int, **more: object) -> None:
    """Print the bar's one line; fail with the first violations when there are any."""
    extra = "".join(f" {name}={value}" for name, value in more.items())
    print(f"\n{bar} n={trials} violations={len(violations)} seed={seed}{extra}")
    assert not violations, "\n".join(violations[:20])
