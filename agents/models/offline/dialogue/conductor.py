"""From a turn to the next move: read the wishes, fulfil them in order, then tell."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from agents.models.offline.clauses import clauses
from agents.models.offline.dialogue import account, basket, browse, pending, purchase, shop
from agents.models.offline.dialogue.wish import Wish
from agents.models.offline.intents import IntentReader, Reading
from agents.models.offline.moves import Act, Ask, Call, Move, Say
from agents.models.offline.slots.grammar import Purpose, Slots, read_slots
from agents.models.offline.slots.lexicon import Lexicon
from agents.models.offline.turn import Json, Step, Turn

Handler = Callable[[Wish], Move | None]
_FIND = {"search", "refine", "recommend", "similar", "details"}
_CALL = "call"
_PURPOSES: dict[str, Purpose] = {
    "search": "search",
    "add": "add",
    "change_qty": "change",
    "remove": "add",
    "compare": "compare",
}
_HANDLERS: dict[str, Handler] = {
    "search": browse.search, "refine": browse.refine, "similar": browse.similar, "details": browse.details,
    "compare": browse.compare, "recommend": browse.recommend, "reviews": browse.reviews,
    "add": basket.add, "change_qty": basket.change_qty, "remove": basket.remove, "clear_cart": basket.clear_cart,
    "view_cart": basket.view_cart, "quote": purchase.quote, "checkout": purchase.checkout, "pay": purchase.pay,
    "track": purchase.track, "list_orders": purchase.list_orders, "cancel": purchase.cancel,
    "change_address": purchase.change_address, "return_item": purchase.return_item,
    "addresses": purchase.addresses, "add_address": purchase.add_address,
    "get_preferences": account.get_preferences, "set_preference": account.set_preference,
    "policy": account.policy, "human": account.human, "greet": account.greet, "thanks": account.thanks,
    "help": account.help_, "bargain": account.bargain, "undo": account.undo, "not_allowed": account.not_allowed,
    "out_of_scope": account.out_of_scope, "affirm": account.affirm, "deny": account.deny,
    "seller_metrics": shop.seller_metrics, "seller_orders": shop.seller_orders,
    "seller_inventory": shop.seller_inventory, _CALL: basket.choose_variant,
}  # fmt: skip
_TALK = frozenset({"greet", "thanks", "affirm", "deny"})
_DECLINED = frozenset({"bargain", "undo", "not_allowed", "out_of_scope"})
_WORTH_GUESSING, _WORTH_A_LOOK, _FEW = 0.25, 0.2, 3
_CHANGES_SOMETHING = frozenset(
    [
        "add",
        "change_qty",
        "remove",
        "clear_cart",
        "checkout",
        "pay",
        "cancel",
        "add_address",
        "change_address",
        "set_preference",
        "return_item",
        "human",
    ]
)
_ENOUGH_TO_LOOK = 0.3  # a wrong look costs a sentence, a wrong change costs trust


@dataclass(frozen=True)
class Decision:
    """A move, and the plan that the next call of the same turn goes on with."""

    move: Move
    plan: Json


@dataclass(frozen=True)
class Read:
    """A clause with the intent it will be acted on."""

    text: str
    intent: str
    sureness: float
    reading: Reading


class Conductor:
    def __init__(self, lexicon: Lexicon, intents: IntentReader) -> None:
        self._lexicon = lexicon
        self._intents = intents

    def decide(self, turn: Turn) -> Decision:
        if not turn.steps:
            return self._begin(turn)
        return self._go_on(turn, turn.plan or self._plan_again(turn))

    def _begin(self, turn: Turn) -> Decision:
        reads = self._reads(turn)
        reads[0] = _confirmed(reads[0], turn)
        first = self._wish(reads[0].text, reads[0].intent, turn)
        answered = pending.answer(first, reads[0].sureness)
        wishes = [{"text": read.text, "intent": read.intent} for read in reads]
        if answered is not None:
            wishes[0] = {"text": reads[0].text, "intent": _CALL}
            return self._checked(answered, {"wishes": wishes, "at": 0, "since": 0}, turn)
        unsure = self._unsure(reads)
        if unsure:
            return Decision(unsure, {"wishes": [], "at": 0, "since": 0})
        return _still_open(self._fulfil({"wishes": wishes, "at": 0, "since": 0}, turn), reads[0], turn)

    def _plan_again(self, turn: Turn) -> Json:
        """Where the plan was not carried along, the wishes are read once more; a short answer has no more of them."""
        reads = self._reads(turn)
        wishes = [{"text": read.text, "intent": read.intent} for read in reads] if len(reads) > 1 else []
        if turn.steps[-1].code == "variant_required":
            wishes = [{"text": turn.text, "intent": _CALL}]
        return {"wishes": wishes, "at": 0, "since": 0}

    def _go_on(self, turn: Turn, plan: Json) -> Decision:
        failed = next((step for step in turn.steps[plan["since"] :] if not step.ok), None)
        if failed and not self._recoverable(failed):
            return Decision(_told(turn), plan)
        return self._fulfil(plan, turn.now)

    @staticmethod
    def _recoverable(step: Step) -> bool:
        return step.code in {"variant_required", "address_required"}

    def _fulfil(self, plan: Json, turn: Turn) -> Decision:
        """The first move of the first wish that is not fulfilled yet; after the last, the reply."""
        wishes, since = plan["wishes"], plan["since"]
        for at in range(plan["at"], len(wishes)):
            steps = turn.steps[since:]
            wish = self._wish(wishes[at]["text"], wishes[at]["intent"], turn, steps)
            move = _HANDLERS[wish.intent](wish)
            if move is not None:
                return self._checked(move, {"wishes": wishes, "at": at, "since": since}, turn)
            since = len(turn.steps)
        return Decision(_told(turn), plan)

    def _checked(self, move: Move, plan: Json, turn: Turn) -> Decision:
        """Only bound tools are called; what was done before a question is told with it."""
        if isinstance(move, Act):
            missing = next((call.tool for call in move.calls if not turn.may_call(call.tool)), None)
            if missing:
                return Decision(Say("cannot", {"tool": missing, "guest": turn.state.guest}), plan)
            return Decision(_repeats(move, turn) or move, plan)
        if turn.steps and any(step.ok for step in turn.steps):
            return Decision(replace(move, values={**move.values, "before": turn.steps}), plan)
        return Decision(move, plan)

    def _wish(self, text: str, intent: str, turn: Turn, steps: tuple[Step, ...] = ()) -> Wish:
        return Wish(intent, read_slots(text, self._lexicon, _PURPOSES.get(intent, "other")), turn, steps)

    def _reads(self, turn: Turn) -> list[Read]:
        """Clauses that are wishes of their own; what is none joins its neighbour."""
        texts = clauses(turn.text)
        reads = [self._read(text, turn) for text in texts]
        if len(reads) > 1:
            reads = [self._read(text, turn) for text in _joined(reads)]
        wishes = [read for read in reads if read.intent not in _TALK]
        return wishes or reads[:1]

    def _read(self, text: str, turn: Turn) -> Read:
        slots = read_slots(text, self._lexicon)
        reading, narrowed = self._intents.read(slots), bool(slots.categories or slots.filters)
        return Read(
            text,
            self._meant(
                reading,
                text,
                slots_said=narrowed,
                pointed=_only_points(slots),
                turn=turn,
            ),
            reading.probability,
            reading,
        )

    @staticmethod
    def _meant(reading: Reading, said: str, *, slots_said: bool, pointed: bool, turn: Turn) -> str:
        """The intent, put right by what the situation rules out."""
        intent = reading.intent
        if intent == "list_orders" and shop.about_a_shop(turn, said):
            return "seller_metrics"
        if (
            intent == "affirm"
            and turn.state.pending is None
            and turn.state.cart
            and reading.probability_of("checkout") > 0.2
        ):
            return "checkout"
        if not reading.sure and pointed and turn.state.shown:
            return "details"
        if not reading.sure and intent in _DECLINED and reading.probability_of("search") >= _WORTH_A_LOOK:
            return "search"
        if not reading.sure and slots_said and not {intent, reading.ranking[1][0]}.isdisjoint({"search", "refine"}):
            return "refine" if turn.state.last_search and "refine" in {intent, reading.ranking[1][0]} else "search"
        return intent

    @staticmethod
    def _unsure(reads: list[Read]) -> Say | None:
        """A question back when the likeliest intent is not likely enough."""
        read = reads[0]
        if len(reads) > 1 or read.sureness == 1 or read.reading.sure or read.intent in _FIND | _TALK:
            return None
        if read.intent not in _CHANGES_SOMETHING and read.sureness >= _ENOUGH_TO_LOOK:
            return None
        if read.sureness < _WORTH_GUESSING or read.reading.ranking[0][0] in _DECLINED:
            return Say("out_of_scope")
        options = [name for name, chance in read.reading.ranking[:2] if chance >= 0.1 and name not in _DECLINED]
        return Say(
            "unsure",
            {"intents": options},
            Ask("", {}, "intent", [{"intent": name, "text": read.text} for name in options]),
        )


def _only_points(slots: Slots) -> bool:
    """`the first`, `number 2`: nothing but a place."""
    return bool(slots.reference.ordinals) and not slots.query and len(slots.said.split()) <= _FEW


def _confirmed(read: Read, turn: Turn) -> Read:
    """`yes`, or the number of a guess, after the planner asked what is meant."""
    asked = turn.state.pending or {}
    options = asked.get("options") or []
    if asked.get("slot") != "intent" or not options:
        return read
    ordinal = {"first": 0, "1": 0, "second": 1, "2": 1}
    place = next((ordinal[word] for word in read.text.lower().split() if word in ordinal), None)
    if place is None and read.intent == "affirm":
        place = 0
    if place is None or place >= len(options):
        return read
    return Read(str(options[place]["text"]), str(options[place]["intent"]), 1, read.reading)


def _joined(reads: list[Read]) -> list[str]:
    """A clause that names no wish surely belongs to the one before it."""
    texts = [reads[0].text]
    for before, read in pairwise(reads):
        same_search = read.intent in _FIND and before.intent in _FIND
        if not read.reading.sure or same_search or read.intent in _DECLINED:
            texts[-1] = f"{texts[-1]}, {read.text}"
        else:
            texts.append(read.text)
    return texts


def _still_open(decision: Decision, read: Read, turn: Turn) -> Decision:
    """What was asked back stays open over a remark that only gets words."""
    asked = turn.state.pending
    if not asked or read.intent not in _DECLINED or not isinstance(decision.move, Say) or decision.move.ask:
        return decision
    ask = Ask(asked["tool"], asked["args"], asked["slot"], asked.get("options") or [])
    return replace(decision, move=replace(decision.move, ask=ask))


def _told(turn: Turn) -> Say:
    return Say("told", {"before": turn.steps})


def _repeats(move: Act, turn: Turn) -> Say | None:
    """A call already made in this turn with the same arguments is not made again."""
    made = [Call(step.tool, step.args) for step in turn.steps]
    return _told(turn) if all(call in made for call in move.calls) else None
