"""Why this message, a wait or silence: one or two plain sentences to the customer."""

from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from decisioning.domain import TIERS, Decision, Result, Wait
from decisioning.own_gain import first_without_gain
from decisioning.press import plain
from decisioning.trace import Weighed

_WHY = {
    "explored": "Now and then we show you something else, to learn what helps you.",
    "random_group": "You are one of a few people who see a fair random choice. It helps us check our own work.",
    "must_be_said": "This is a note that we owe to you. It does not try to sell you a thing.",
    "care_before_selling": "Something went wrong for you, so we sell you nothing now.",
    "unknown_customer": "We do not know you yet, so we show what everyone sees.",
    "control_group": "You are one of a few people who get no offers. It shows us if our offers help at all.",
    "nothing_is_worth_the_attention": "We had nothing to say that seemed worth your time.",
    "earlier_places_took_all": "All that we had to say to you stands in the other places.",
    "nothing_passed_the_rules": "There was nothing that we should say to you just then.",
    "log_unavailable": "We could not look after you well just then, so we showed what everyone sees.",
    "state_kept_changing": "Too much went on at once just then, so we showed what everyone sees.",
}
_BEST = "this should help you most."
_BEST_FOR_BOTH = "this seemed best for you and for us."
_PUTS_RIGHT = "Something went wrong for you. We want to put that right first."
_MAKES_GOOD = "We did not keep a promise to you. This is to make up for it, so it comes first."
_HARD_TIMES = "Times are hard for you, so we sell nothing now and want to help first."
_QUIET: tuple[tuple[tuple[str, ...], str], ...] = (
    (("paused",), "You asked us for a break, so we stay quiet."),
    (("channel_closed", "channel_declined"), "You asked us not to write to you here, so we stay quiet."),
    (("topic_declined", "group_declined"), "You asked us for no notes like these, so we stay quiet."),
    (("open_complaint", "negative_emotion", "broken_promise"), "Something went wrong for you, so we sell you nothing now."),
    (("hardship",), "Times are hard for you, so we sell you nothing now."),
    (("pace",), "You asked us for fewer notes, and you have had them for now."),
    (("fatigue",), "You have heard enough from us for now."),
    (("cool_down",), "You said no to this not long ago, so we let it rest."),
    (("too_soon",), "We told you what we have not long ago, so we let it rest."),
)
"""Where these rules kept out at least half of what came as far as they did, it is told."""
_NO_CONSENT = "You have not said yes to notes like these, so we stay quiet."
_ENOUGH = "We do not want to come to you too often, so we stay quiet for now."

_WAIT = {
    "better_elsewhere": "There is a better place to tell you what we have: {place}.",
    "fatigue": "You have heard enough from us for now, so we wait until {until}.",
    "pace": "You asked us for fewer notes, so we wait until {until}.",
    "cool_down": "You said no to this not long ago, so we wait until {until}.",
    "too_soon": "We told you this not long ago, so we wait until {until}.",
}
_TOO_OFTEN = "We do not want to write to you too often, so we wait until {until}."


def why(result: Result, decision: Decision, whole: Weighed | None) -> str:
    """Why a place is filled as it is, or why it is not; `whole` is what the decision was made of, where that is known."""
    if result.wait is not None:
        return _wait(result.wait, decision, whole)
    match result.reason:
        case "highest_priority":
            earlier = takewhile(lambda one: one.action != result.action, decision.results)
            among = "what else" if any(one.action for one in earlier) else "all"
            return f"Of {among} we could say to you here, {_BEST if first_without_gain(result, decision) else _BEST_FOR_BOTH}"
        case "care_before_selling":
            return _care(result, whole)
        case "nothing_passed_the_rules":
            return next(_quiet(decision, whole), _WHY[result.reason])
        case _:
            return _WHY[result.reason]


def _care(result: Result, whole: Weighed | None) -> str:
    if whole is not None and result.action in whole.sifted.asked.standing.make_good:
        return _MAKES_GOOD
    if whole is not None and whole.sifted.asked.standing.suppressed == ("hardship",):
        return _HARD_TIMES
    return _PUTS_RIGHT if result.job in ("recover", "serve") else _WHY["care_before_selling"]


def _wait(wait: Wait, decision: Decision, whole: Weighed | None) -> str:
    until, place = _day(wait.until, whole), plain(wait.touchpoint or "")
    words = _WAIT.get(wait.because, _TOO_OFTEN).format(until=until, place=place)
    why_not_here = next(_quiet(decision, whole), "") if wait.because == "better_elsewhere" else ""
    return f"{why_not_here} {words}".lstrip()


def _quiet(decision: Decision, whole: Weighed | None) -> Iterator[str]:
    """What kept most of it from the customer: their own word, how they fare, or their rest."""
    consents = {one.rule for one in decision.rejected if one.tier == "consent" and one.rule.startswith("consent_")}
    caps = () if whole is None else tuple(cap.rule for cap in whole.sifted.asked.rulebook.policy.contact.caps)
    for rules, words in ((tuple(consents), _NO_CONSENT), *_QUIET, (caps, _ENOUGH)):
        kept_at = [TIERS.index(one.tier) for one in decision.rejected if one.rule in rules]
        came_as_far = sum(TIERS.index(one.tier) >= min(kept_at, default=0) for one in decision.rejected)
        if kept_at and 2 * len(kept_at) >= came_as_far:
            yield words


def _day(until: datetime, whole: Weighed | None) -> str:
    """A moment as the customer's own clock shows it."""
    local = until.astimezone(whole.sifted.asked.zone if whole is not None else ZoneInfo("UTC"))
    return f"{local:%A}, {local:%B} {local.day}, {local:%H:%M}"
