"""How much our own gain did to a choice: its place, and its share of all priorities, with and without the terms v and l."""

from decisioning.domain import SELLING, Candidate, Decision, Result

_PARTS = ((0.02, "Our own gain made no real change to its weight."), (0.35, "Our own gain was a small part of its weight."),
          (0.65, "Our own gain was about half of its weight."))  # fmt: skip
_MOST = "Our own gain was most of its weight."
_AGAINST = "Our own gain spoke against it."


def own_gain(result: Result, decision: Decision) -> str | None:
    """In words for the customer; None where nothing was said."""
    if result.action is None:
        return None
    if result.reason == "must_be_said":
        return "None: we owe you this message."
    if result.reason == "random_group":
        return "None: this was a fair random choice."
    candidates = decision.candidates
    chosen = next(one for one in candidates if one.action == result.action)
    fair = 1 + sum((-_fair(one), one.action) < (-_fair(chosen), chosen.action) for one in candidates)
    if result.job not in SELLING and fair == chosen.rank:
        return "None: this message sells nothing."
    if fair == chosen.rank:
        place = f"It would have come in the same place ({fair}) had our own gain not counted."
    else:
        place = f"With our own gain counted it came in place {chosen.rank}, without it in place {fair}."
    return f"{place} {_part(chosen, candidates)}"


def _part(chosen: Candidate, candidates: tuple[Candidate, ...]) -> str:
    """How much smaller its share of all priorities would be, had the gain not counted."""
    having = _share(chosen.terms.priority, [one.terms.priority for one in candidates])
    lacking = _share(_fair(chosen), [_fair(one) for one in candidates])
    if having < lacking * 0.98:
        return _AGAINST
    gained = 1.0 - lacking / having if having > 0.0 else 0.0
    return next((words for below, words in _PARTS if gained < below), _MOST)


def _fair(candidate: Candidate) -> float:
    return candidate.terms.p * candidate.terms.c


def _share(of: float, among: list[float]) -> float:
    whole = sum(max(0.0, one) for one in among)
    return max(0.0, of) / whole if whole > 0.0 else 0.0
