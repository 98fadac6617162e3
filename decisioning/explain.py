"""Why, in plain words for the customer: from the decision alone, once somebody asks."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from decisioning.counterfactual import Predict, Reason, answers_as_then, data_read, reasons
from decisioning.domain import Datum, Decision, Result
from decisioning.own_gain import own_gain
from decisioning.press import Press, on_message, on_silence, plain
from decisioning.sifting import Sifted
from decisioning.trace import Weighed
from decisioning.used import data_used

TOLD = 3
"""So many reasons are told, the strongest."""

_WHY = {
    "highest_priority": "Of all we could say to you here, this should help you most.",
    "explored": "Now and then we show you something else, to learn what helps you.",
    "random_group": "You are one of a few people who see a fair random choice. It helps us check our own work.",
    "must_be_said": "This is a note that we owe to you. It does not try to sell you a thing.",
    "care_before_selling": "Something went wrong for you. We want to put that right first.",
    "unknown_customer": "We do not know you yet, so we show what all see.",
    "control_group": "You are one of a few people who get no offers. It shows us if our offers help at all.",
    "nothing_is_worth_the_attention": "We had nothing to say that seemed worth your time.",
    "nothing_passed_the_rules": "There was nothing that we should say to you just then.",
    "log_unavailable": "We could not look after you well just then, so we showed what all see.",
    "state_kept_changing": "Too much went on at once just then, so we showed what all see.",
}
_MAKES_GOOD = "We did not keep a promise to you. This is to make up for it, so it comes first."
_HARD_TIMES = "Times are hard for you, so we sell nothing now and want to help first."
_NOT_WANTED = (
    ("paused", "You asked us for a break, so we keep still."),
    ("channel_closed", "You asked us not to write to you here, so we keep still."),
    ("channel_declined", "You asked us not to write to you here, so we keep still."),
    ("pace", "You asked us for fewer notes, and you have had them for now."),
    ("fatigue", "You have heard enough from us for now."),
    ("cool_down", "You said no to this not long ago, so we let it rest."),
)
"""Where one of these kept out at least half of what we could say, it is told."""

_WAIT = {
    "better_elsewhere": "There is a better place to tell you what we have: {place}.",
    "fatigue": "You have heard enough from us for now, so we wait until {until}.",
    "pace": "You asked us for fewer notes, so we wait until {until}.",
    "cool_down": "You said no to this not long ago, so we wait until {until}.",
    "too_soon": "We told you this not long ago, so we wait until {until}.",
}
_TOO_OFTEN = "We do not want to write to you too often, so we wait until {until}."

_TO_YOU = {
    "the customer is here": "you are here",
    "this customer usually comes": "you usually come",
    "this customer usually answers": "you usually answer",
    "this customer will": "you will",
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
        "why": _why(result, decision, whole),
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
        words = f"{_cause(reason, helped=helped)} This spoke {'for' if helped else 'against'} it."
    return {"direction": "helped" if helped else "held back", "words": words}


def _cause(reason: Reason, *, helped: bool) -> str:
    wanted = "more" if helped else "less"
    match reason.whose:
        case "topic":
            return f"You asked for {wanted} of {plain(reason.about)}."
        case "group":
            return f"You asked for {wanted} notes like this."
        case "channel":
            return f"You asked to hear {wanted} from us by {plain(reason.about)}."
        case "maybe_later":
            return 'You said "maybe later" to notes like this.'
        case "datum":
            return f"We looked at {reason.says}."
        case _:
            return reason.says


def _why(result: Result, decision: Decision, whole: Weighed | None) -> str:
    if result.wait is not None:
        until, place = _day(result.wait.until, whole), plain(result.wait.touchpoint or "")
        return _WAIT.get(result.wait.because, _TOO_OFTEN).format(until=until, place=place)
    if whole is not None and result.reason == "care_before_selling":
        standing = whole.sifted.asked.standing
        if result.action in standing.make_good:
            return _MAKES_GOOD
        if standing.suppressed == ("hardship",):
            return _HARD_TIMES
    if result.reason == "nothing_passed_the_rules":
        return next(_own_words(decision), _WHY[result.reason])
    return _WHY[result.reason]


def _own_words(decision: Decision) -> Iterator[str]:
    """Where the customer's own words, or their rest, kept most of it from them."""
    counts = Counter(one.rule for one in decision.rejected)
    for rule, words in _NOT_WANTED:
        if 2 * counts[rule] >= len(decision.rejected) > 0:
            yield words


def _day(until: datetime, whole: Weighed | None) -> str:
    """A moment as the customer's own clock shows it."""
    local = until.astimezone(whole.sifted.asked.zone if whole is not None else ZoneInfo("UTC"))
    return f"{local:%A}, {local:%B} {local.day}, {local:%H:%M}"


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
