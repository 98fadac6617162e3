"""How much our own gain did to a choice: its place, and its share of all priorities, with and without the terms v and l."""

from itertools import takewhile

from decisioning.domain import SELLING, Candidate, Decision, Result
from decisioning.trace import Weighed

_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NO_CHANGE = "Our own gain made no real change to its weight."
_PARTS = ((0.02, _NO_CHANGE), (0.35, "Our own gain was a small part of its weight."),
          (0.65, "Our own gain was about half of its weight."))  # fmt: skip
_MOST = "Our own gain was most of its weight."
_AGAINST = "Our own gain spoke against it."


def own_gain(result: Result, decision: Decision) -> str | None:
    """In words for the customer; None where nothing was said.

    Places are among those that this place of the decision could choose from.
    """
    if result.action is None:
        return None
    if result.reason == "must_be_said":
        return "None: we owe you this message."
    if result.reason == "random_group":
        return "None: this was a fair random choice."
    chosen, rivals = _rivals(result, decision)
    place, fair = _place(chosen, rivals, with_gain=True), _place(chosen, rivals, with_gain=False)
    part = _part(chosen, rivals)
    if result.job not in SELLING and fair == place and part == _NO_CHANGE:
        return "None: this message sells nothing."
    if fair == place:
        return f"It would have come {_nth(place)} without our own gain, too. {part}"
    return f"It came {_nth(place)}. Without our own gain it would have come {_nth(fair)}. {part}"


def first_without_gain(result: Result, decision: Decision) -> bool:
    """Whether the message would have come first, had our own gain not counted."""
    return _place(*_rivals(result, decision), with_gain=False) == 1


def _rivals(result: Result, decision: Decision) -> tuple[Candidate, list[Candidate]]:
    """The chosen one, and all that it was chosen from: what an earlier place took is gone, in distress so are other jobs."""
    taken = {one.action for one in takewhile(lambda one: one.action != result.action, decision.results)}
    left = [one for one in decision.candidates if one.action not in taken]
    if result.reason == "care_before_selling" and isinstance(decision.trace, Weighed):
        plan = decision.trace.sifted.plan
        left = [one for one in left if plan.actions[plan.position(one.action)].job == result.job]
    return next(one for one in left if one.action == result.action), left


def _place(chosen: Candidate, rivals: list[Candidate], *, with_gain: bool) -> int:
    def key(one: Candidate) -> tuple[float, str]:
        return -(one.terms.priority if with_gain else _fair(one)), one.action

    return 1 + sum(key(one) < key(chosen) for one in rivals)


def _nth(place: int) -> str:
    return _PLACES[place - 1] if place <= len(_PLACES) else f"in place {place}"


def _part(chosen: Candidate, rivals: list[Candidate]) -> str:
    """How much smaller its share of all priorities would be, had the gain not counted."""
    having = _share(chosen.terms.priority, [one.terms.priority for one in rivals])
    lacking = _share(_fair(chosen), [_fair(one) for one in rivals])
    if having < lacking * 0.98:
        return _AGAINST
    gained = 1.0 - lacking / having if having > 0.0 else 0.0
    return next((words for below, words in _PARTS if gained < below), _MOST)


def _fair(candidate: Candidate) -> float:
    return candidate.terms.p * candidate.terms.c


def _share(of: float, among: list[float]) -> float:
    whole = sum(max(0.0, one) for one in among)
    return max(0.0, of) / whole if whole > 0.0 else 0.0
