"""Which data about the customer one choice used: those that its rules, its weights, its model, its timing and its text read."""

from collections.abc import Iterator

from decisioning import messages
from decisioning.catalog import Action
from decisioning.conditions import Condition, fields_of
from decisioning.domain import Datum
from decisioning.policy import Policy
from decisioning.sifting import Asked, Sifted
from decisioning.voice import treatment_for

PRIVATE = "facts about your household that we keep private"
"""What stands for all that is sensitive."""

_OF_STATE = {
    "state.open_complaint": "what went wrong for you",
    "state.emotion_valence": "how you felt about us",
    "state.emotion_intensity": "how you felt about us",
    "state.hardship": "that times are hard for you",
    "state.open_promise": "what we promised you",
    "state.broken_promise": "what we promised you",
    "state.given": "what you gave us so far",
    "state.received": "what you got from us so far",
    "state.worth": "what you got from us so far",
}
_OF_STANDING = {
    "open_complaint": "what went wrong for you",
    "negative_emotion": "how you felt about us",
    "hardship": "that times are hard for you",
    "broken_promise": "what we promised you",
}
_OF_TIMING = {
    "own visits": "the days and hours when you come to us",
    "own answers": "the days and hours when you answer us",
}


def data_used(sifted: Sifted, at: int) -> tuple[Datum, ...]:
    """What was known of the customer and read to choose the candidate at a position, each said once."""
    action, asked = sifted.plan.actions[at], sifted.asked
    fields = sorted(_fields_read(action, sifted))
    names = [field.removeprefix("profile.") for field in fields if field.startswith("profile.")]
    names += asked.predictions.reads.get(action.name, ())
    filled = _filled(action, sifted)
    data = [
        *_of_profile(asked, [*names, *sorted(filled & messages.OF_PROFILE)]),
        *_of_traits(asked, filled),
        *(_said(field, asked) for field in fields),
        *(Datum(says=_OF_STANDING[why], source="told") for why in asked.standing.suppressed),
        *_of_words(asked, action, sifted.plan.touchpoint.channel),
        *_of_timing(sifted, action),
    ]
    found: dict[str, Datum] = {}
    for one in data:
        if one is not None:
            found.setdefault(one.says, one)
    return tuple(found.values())


def _of_profile(asked: Asked, names: list[str]) -> Iterator[Datum]:
    index, present = asked.profile.index, asked.profile.present
    for name in names:
        at = index.positions.get(name)
        if at is None or not present[at]:
            continue
        feature = index.features[at]
        if feature.sensitive:
            yield Datum(says=PRIVATE, source=feature.source, purpose=feature.purpose)
        elif feature.says:
            yield Datum(says=feature.says, source=feature.source, feature=name, purpose=feature.purpose)


def _of_traits(asked: Asked, filled: set[str]) -> Iterator[Datum]:
    if "first_name" in filled and asked.state.traits.get("first_name"):
        yield Datum(says="your first name", source="told")


def _filled(action: Action, sifted: Sifted) -> set[str]:
    """The fields that the text has in the words and the language for this customer."""
    asked, policy = sifted.asked, sifted.asked.rulebook.policy
    treatment = treatment_for(action, sifted.plan.touchpoint.name, policy.voice, stage=sifted.stage, mood=asked.standing.mood)
    if treatment is None:
        return set()
    _, text = treatment.said(asked.state.locale, own=policy.locale)
    return {field for part in messages.PARTS for field in messages.fields_of(getattr(text, part))}


def _said(field: str, asked: Asked) -> Datum | None:
    """What a condition read besides the profile; None where nothing of the customer was known by it."""
    if asked.facts.get(field) in (None, False):
        return None
    if field in _OF_STATE:
        return Datum(says=_OF_STATE[field], source="told")
    if field.startswith("state.consent_"):
        return Datum(says="what you said yes to", source="told")
    if field.startswith("context."):
        return Datum(says="what you do right now", source="visit")
    return Datum(says="what we think you will do next", source="estimate") if field.startswith("prediction.") else None


def _of_words(asked: Asked, action: Action, channel: str) -> Iterator[Datum]:
    spoken = {f"topic:{topic}" for topic in action.topics} | {f"group:{action.group}", f"channel:{channel}"}
    if spoken & set(asked.state.preferences):
        yield Datum(says="what you asked us for", source="told")
    if any(one.group == action.group for one in asked.state.postponed):
        yield Datum(says="what you put off", source="told")


def _of_timing(sifted: Sifted, action: Action) -> Iterator[Datum]:
    moment = sifted.moments.before(action.valid_until)
    if moment is None:
        return
    if moment.reason in _OF_TIMING:
        yield Datum(says=_OF_TIMING[moment.reason], source="first_party")
    elif moment.reason in ("a model", "a model of visits") and sifted.moments.hours_of.own:
        for says in _OF_TIMING.values():
            yield Datum(says=says, source="first_party")


def _fields_read(action: Action, sifted: Sifted) -> Iterator[str]:
    policy: Policy = sifted.asked.rulebook.policy
    touchpoint = sifted.plan.touchpoint
    conditions: list[Condition | None] = [action.eligible, action.relevant]
    for rules in (policy.rules.eligibility, policy.rules.applicability, policy.rules.suitability):
        conditions += [rule.require for rule in rules if rule.scope.covers(action, touchpoint)]
    for weight in policy.weights:
        if weight.scope.covers(action, touchpoint):
            conditions.append(weight.when)
            if weight.scale is not None:
                yield weight.scale
    conditions += [stage.when for stage in policy.journey]
    for condition in conditions:
        if condition is not None:
            yield from fields_of(condition)
