"""What would let an action pass the rule it failed at, in words; and when, where time alone does it. Made when asked for."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from decisioning import caps, conditions, preferences
from decisioning.catalog import Action
from decisioning.customer import Contact
from decisioning.domain import Rejection
from decisioning.emotion import heals_at, suppressing
from decisioning.policy import Cap
from decisioning.sifting import Asked, Sifted
from decisioning.tiers import Rule

_Hint = tuple[str, datetime | None]


def rejection(sifted: Sifted, at: int) -> Rejection:
    """Why the candidate at a position is out. `until` is exact; the words name the first full minute that is not before it."""
    gates = sifted.plan.gates
    rule = gates.rules[gates.rule[sifted.failed[at]]]
    unlock, until = _unlocked(rule, sifted, at)
    return Rejection(action=sifted.plan.actions[at].name, tier=rule.tier, rule=rule.rule, unlock=unlock, until=until)


def passes_at(sifted: Sifted, at: int) -> tuple[datetime, str] | None:
    """When time alone lets the candidate at a position, which is out, pass, and the rule of contact that it rests by longest.

    None where another tier keeps it out, or a rule that time does not unlock, or where it will no longer be valid.
    """
    gates, found = sifted.plan.gates, list[tuple[datetime, str]]()
    for line in range(sifted.failed[at], gates.start[at + 1]):
        if not sifted.flags[gates.gate[line]]:
            rule = gates.rules[gates.rule[line]]
            _, until = _unlocked(rule, sifted, at) if rule.tier == "contact" else ("", None)
            if until is None:
                return None
            found.append((until, rule.rule))
    until, longest = max(found)
    valid_until = sifted.plan.actions[at].valid_until
    return None if valid_until is not None and until >= valid_until else (until, longest)


def _unlocked(rule: Rule, sifted: Sifted, at: int) -> _Hint:
    if rule.condition is not None:
        return conditions.unlock(rule.condition, sifted.read(at)), None
    action = sifted.plan.actions[at]
    return _hint(rule.rule, action, sifted) if rule.cap is None else _cap(rule.cap, action, sifted)


def _hint(rule: str, action: Action, sifted: Sifted) -> _Hint:
    asked, touchpoint = sifted.asked, sifted.plan.touchpoint
    state, policy = asked.state, asked.rulebook.policy
    match rule:
        case _ if rule == f"consent_{action.purpose}":
            return f"state.{rule} = true (is false)", None
        case "channel_closed":
            return f"the customer opens the channel {touchpoint.channel} again", None
        case "paused":
            until = state.preferences[preferences.PAUSE].until
            assert until is not None  # a pause without an end is none
            return f"the customer's pause ends at {_from(until)}", until
        case "channel_declined":
            return f"the customer no longer declines the channel {touchpoint.channel}", None
        case "topic_declined":
            declined = (topic for topic in action.topics if _declines(asked, preferences.topic(topic)))
            return f"the customer no longer declines the topic {next(declined)}", None
        case "group_declined":
            return f"the customer no longer declines messages such as {action.group}", None
        case "known_customer":
            return "state.known = true (is false)", None
        case "holdout":
            return "the customer leaves the control group", None
        case "not_yet_valid":
            assert action.valid_from is not None
            return f"at {_from(action.valid_from)} or later", action.valid_from
        case "no_longer_valid":
            return f"a new validity; it ended at {action.valid_until:%Y-%m-%d %H:%M}Z", None
        case "promises_not_kept":
            ledger, at_least = asked.ledger[action.name], policy.promises.at_least
            return f"at least {at_least:.0%} of its promises kept in time (are {ledger.kept} of {ledger.ended})", None
        case "touchpoint_job":
            return f"a touchpoint whose jobs include {action.job}; {touchpoint.name} does not", None
        case "open_complaint" | "hardship" | "broken_promise":
            return f"state.{rule} = false (is true)", None
        case "negative_emotion":
            limits = policy.suppression
            felt = suppressing(state, limits, asked.now)
            heals = max(heals_at(one, limits) for one in felt)
            what = "state.emotion_intensity" if felt == (state.emotion,) else "the intensity of what the customer felt before"
            return f"{what} < {limits.intensity:g}, by itself at {_from(heals)}", heals
        case "make_good_first":
            names = " or ".join(sorted(asked.standing.make_good))
            return f"the broken promise made good by {names}, kept, or waived", None
        case "tone":
            return f"a treatment in a tone for a customer who is {asked.standing.mood}, at the stage {sifted.stage}", None
        case _:
            return _contact(rule, action, sifted)


def _contact(rule: str, action: Action, sifted: Sifted) -> _Hint:
    asked = sifted.asked
    state, contact = asked.state, asked.rulebook.policy.contact
    match rule:
        case "cool_down":
            last = max(one.at for one in state.refusals if one.group == action.group)
            until = last + contact.cool_down
            return f"{action.group} was rejected; again from {_from(until)}", until
        case "fatigue":
            assert contact.fatigue is not None
            until = caps.rested_at(contact.fatigue, state.contacts, asked.now)
            most = caps.allowance(contact.fatigue, state.contacts, until)
            return f"fewer than {most} contacts in {_span(contact.fatigue.within)}; again from {_from(until)}", until
        case "pace":
            most = state.preferences[preferences.PACE].a_week or 0
            if most == 0:
                return "the customer asks for more than 0 messages a week", None
            return _fewer(most, caps.WEEK, caps.counted_within(state.contacts, caps.WEEK, asked.now))
        case "too_soon":
            assert action.every is not None
            until, said = max(
                (caps.ends(one, action.every), one.at)
                for one in state.contacts
                if one.action == action.name and caps.counts(one, asked.now)
            )
            return f"the same message was said at {said:%Y-%m-%d %H:%M}Z; again from {_from(until)}", until
        case "budget":
            return f"more than {action.budget} of {action.name}, or a reserved one that expires", None
        case _:
            horizon = sifted.plan.touchpoint.horizon
            return f"a moment to send it outside quiet hours, within {horizon} and its validity", None


def _cap(cap: Cap, action: Action, sifted: Sifted) -> _Hint:
    now, counter = sifted.asked.now, sifted.plan.caps
    at = next(at for at, one in enumerate(counter.caps) if one is cap)
    position = counter.counters[at, caps.key_of(cap, action, sifted.plan.touchpoint)]
    counted = [
        contact
        for contact in caps.counted_within(sifted.asked.state.contacts, cap.within, now)
        if (at, position) in counter.of(contact)
    ]
    return _fewer(cap.most, cap.within, counted)


def _fewer(most: int, window: timedelta, counted: Sequence[Contact]) -> _Hint:
    until = caps.full_until(counted, most, window)
    return f"fewer than {most} contacts in {_span(window)}; again from {_from(until)}", until


def _declines(asked: Asked, about: str) -> bool:
    word = asked.state.preferences.get(about)
    return word is not None and word.wanted == "none"


def _span(window: timedelta) -> str:
    days = window.total_seconds() / 86_400
    return f"{days:g} days" if days >= 1 else f"{days * 24:g} hours"


def _from(moment: datetime) -> str:
    """The first full minute that is not before a moment: at the time that is named the rule passes."""
    minute = moment.replace(second=0, microsecond=0)
    return f"{minute if minute == moment else minute + timedelta(minutes=1):%Y-%m-%d %H:%M}Z"
