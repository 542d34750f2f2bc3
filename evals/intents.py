"""How well the offline planner reads what is wanted, on labelled sentences it was not fitted on.

python -m evals.intents
"""

from collections import Counter
from dataclasses import dataclass

from agents.models.offline.intents import Encode, IntentReader
from agents.models.offline.labelled import Labelled, labelled, sample_vocabulary, split
from agents.models.offline.slots.grammar import read_slots
from agents.models.offline.slots.lexicon import Lexicon
from vectorstore.onnx_session import BUNDLED_MODEL, OnnxSession


@dataclass(frozen=True)
class Report:
    """Counts over the held-out sentences; `missed` is (meant, read) with how often."""

    sentences: int
    right: int
    sure: int
    sure_and_right: int
    missed: Counter[tuple[str, str]]


def evaluate(reader: IntentReader, rows: list[Labelled]) -> Report:
    """Read every sentence and compare with its label."""
    lexicon = Lexicon(sample_vocabulary())
    right = sure = sure_and_right = 0
    missed: Counter[tuple[str, str]] = Counter()
    for row in rows:
        reading = reader.read(read_slots(row.text, lexicon))
        hit = reading.intent == row.intent
        right, sure = right + hit, sure + reading.sure
        sure_and_right += hit and reading.sure
        if not hit:
            missed[row.intent, reading.intent] += 1
    return Report(len(rows), right, sure, sure_and_right, missed)


def main() -> None:
    rows = split(list(labelled()))["test"]
    session = OnnxSession(BUNDLED_MODEL, threads=1, max_tokens=64)
    encode: Encode = lambda text: session.embed([text])[0]  # noqa: E731 - a port of one method
    for name, reader in (("words and embedding", IntentReader(encode)), ("words alone", IntentReader())):
        _print(name, evaluate(reader, rows))


def _print(name: str, report: Report) -> None:
    share, kept = report.right / report.sentences, report.sure_and_right / max(1, report.sure)
    print(f"{name}: {report.right} of {report.sentences} intents right ({share:.1%})")  # noqa: T201
    print(f"  sure of {report.sure}, right in {kept:.1%} of those")  # noqa: T201
    for (meant, read), times in report.missed.most_common(8):
        print(f"  {times} × {meant} read as {read}")  # noqa: T201


if __name__ == "__main__":
    main()
