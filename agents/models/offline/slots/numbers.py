"""Numbers as people write them, English and Hinglish."""

WORDS: dict[str, int] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "ek": 1, "do": 2, "teen": 3, "char": 4, "chaar": 4, "paanch": 5, "panch": 5, "chhe": 6, "che": 6, "saat": 7,
    "sat": 7, "aath": 8, "aat": 8, "nau": 9, "das": 10, "bees": 20, "pachas": 50, "pachaas": 50,
}  # fmt: skip
FRACTIONS: dict[str, float] = {"dedh": 1.5, "dhai": 2.5, "adhai": 2.5, "half": 0.5, "aadha": 0.5}
SCALES: dict[str, int] = {
    "hundred": 100, "sau": 100, "k": 1_000, "thousand": 1_000, "hazar": 1_000, "hazaar": 1_000, "hajar": 1_000,
    "hajaar": 1_000, "lakh": 100_000, "lakhs": 100_000, "lac": 100_000, "lacs": 100_000, "crore": 10_000_000,
    "cr": 10_000_000,
}  # fmt: skip
ORDINALS: dict[str, int] = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5,
    "sixth": 6, "6th": 6, "seventh": 7, "7th": 7, "eighth": 8, "8th": 8, "ninth": 9, "9th": 9, "tenth": 10,
    "10th": 10, "frist": 1, "secnd": 2, "secound": 2, "thrid": 3, "pehla": 1, "pehli": 1, "pehle": 1, "pahla": 1,
    "pahli": 1, "dusra": 2, "dusri": 2, "dusre": 2, "doosra": 2, "doosri": 2, "doosre": 2, "teesra": 3, "teesri": 3,
    "teesre": 3, "tisra": 3, "tisri": 3, "chautha": 4, "chauthi": 4, "chauthe": 4, "paanchva": 5, "paanchwa": 5,
    "last": -1, "final": -1, "aakhri": -1, "akhri": -1, "top": 1,
}  # fmt: skip


def value(number: str, scale: str | None = None) -> float | None:
    """`value("1.5", "lakh")` is 150000.0; None for what is no number."""
    base = _base(number)
    if base is None:
        return None
    return base * SCALES[scale] if scale else base


def _base(number: str) -> float | None:
    if number in FRACTIONS:
        return FRACTIONS[number]
    if number in WORDS:
        return float(WORDS[number])
    try:
        return float(number)
    except ValueError:
        return None


def alternatives(words: dict[str, int] | dict[str, float]) -> str:
    """A pattern that matches any of the words, longest first."""
    return "|".join(sorted(words, key=len, reverse=True))
