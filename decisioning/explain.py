"""Why, in plain words for the customer: from the decision alone, once somebody asks."""

from typing import Any

from decisioning.counterfactual import Predict, Reason, answers_as_then, data_read, reasons
from decisioning.domain import Datum, Decision, Result
from decisioning.own_gain import own_gain
from decisioning.press import Press, on_message, on_silence, plain
from decisioning.sifting import Sifted
from decisioning.trace import Weighed
from decisioning.used import data_used
from decisioning.why import why

TOLD = 3
"""So many reasons are told, the strongest."""

_TO_YOU = {
    "the customer is here": "you are here",
    "this customer usually comes": "you usually come",
    "this customer usually answers": "you usually answer",
    "this customer will": "you will",
    "nothing is known to be better": "we know of no better time",
}
_FROM = {
    "first_party": "you and your visits",
    "third_party": "a data partner",
    "told": "what you told us",
    "visit": "this visit",
    "estimate": "our own guess",
}
_NO_MODEL = "We can no longer tell how each of these facts moved our choice."
_WITHOUT_REASONS = ("must_be_said", "random_group")
"""Chosen whatever the priority."""


def for_customer(decision: Decision, predict: Predict | None = None) -> dict[str, Any]:
    """Plain words for each place: why, what moved it, from which data, how much our own gain counted, what to press.

    `predict` asks the models of the decision once more. Without it, or where they answer otherwise by now, what single data
    did is left out, and `left_out` says so.
    """
    return {"results": [_in_plain_words(result, decision, predict) for result in decision.results]}


def _in_plain_words(result: Result, decision: Decision, predict: Predict | None) -> dict[str, Any]:
    whole = decision.trace if isinstance(decision.trace, Weighed) else None
    told: dict[str, Any] = {
        "placement": result.placement,
        "why": why(result, decision, whole),
        "reasons": [],
        "data_used": [],
        "commercial_weight": own_gain(result, decision),
        "change": [],
        "left_out": None,
    }
    if result.action is None:
        told["change"] = [_button(one) for one in on_silence(decision.rejected, _channel(whole))]
        return told
    told["when"] = _to_you(result.timing)
    if whole is None:
        return told
    sifted = whole.sifted
    at = sifted.plan.position(result.action)
    action, data = sifted.plan.actions[at], data_used(sifted, at)
    told["data_used"] = [_datum(one) for one in data]
    told["change"] = [
        _button(one) for one in on_message(action, sifted.plan.touchpoint.channel, data, sifted.asked.rulebook.policy)
    ]
    if result.reason not in _WITHOUT_REASONS:
        told["reasons"] = [in_words(one) for one in reasons(whole, at, predict)[:TOLD]]
        if data_read(whole, at) and (predict is None or not answers_as_then(whole, predict)):
            told["left_out"] = _NO_MODEL
    return told


def in_words(reason: Reason) -> dict[str, str]:
    """A reason with its direction, as the customer reads it."""
    helped = reason.moved > 0.0
    if reason.whose == "evidence":
        words = f"Others took this, or notes like it, {'more' if helped else 'less'} often than we had thought."
    else:
        words = f"{_cause(reason, helped=helped)} That counted {'for' if helped else 'against'} it."
    return {"direction": "helped" if helped else "held back", "words": words}


def _cause(reason: Reason, *, helped: bool) -> str:
    wanted = "more" if helped else "less"
    match reason.whose:
        case "topic":
            return f"You asked for {wanted} of {plain(reason.about)}."
        case "group":
            return f"You asked for {'more' if helped else 'fewer'} notes like this."
        case "channel":
            return f"You asked to hear {wanted} from us by {plain(reason.about)}."
        case "maybe_later":
            return 'You said "maybe later" to notes like this.'
        case "datum":
            return f"We looked at {reason.says}."
        case _:
            return reason.says


def _to_you(timing: str) -> str:
    """The reason for a moment, said to the customer it speaks of."""
    for of_them, to_them in _TO_YOU.items():
        timing = timing.replace(of_them, to_them)
    return timing


def _datum(datum: Datum) -> dict[str, str]:
    return {"what": datum.says, "from": _FROM[datum.source]}


def _button(press: Press) -> dict[str, str]:
    return {"what": press.what, "press": press.press, "about": press.about}


def _channel(whole: Weighed | None) -> str:
    sifted: Sifted | None = None if whole is None else whole.sifted
    return "" if sifted is None else sifted.plan.touchpoint.channel
