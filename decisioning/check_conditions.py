"""Whether a condition can ever hold: every field it reads is one that somebody knows, compared with a value it can have."""

from collections.abc import Collection, Iterator
from typing import Literal, get_args

from decisioning.conditions import All, Any, Condition, Not, Test
from decisioning.domain import Job
from decisioning.facts import ACTION_FIELDS, STATE_FIELDS
from decisioning.known_names import Known, unknown
from decisioning.policy import Scope

_TRUTHS = frozenset({"known", "open_complaint", "hardship", "open_promise", "broken_promise"})
_WORDS_OF_ACTIONS = frozenset({"name", "group", "job", "topic", "partner"})

_Kind = Literal["number", "truth", "any"] | Collection[str]
"""What a field's values are: numbers, true or false, whatever it may be, or one of some words."""


def condition_faults(condition: Condition | None, known: Known) -> Iterator[str]:
    """What a condition gets wrong, each field and each value once."""
    if condition is None:
        return
    tests = list(_tests(condition))
    wrong = {field: list(field_faults(field, known)) for field in sorted({test.field for test in tests})}
    for found in wrong.values():
        yield from found
    yield from dict.fromkeys(fault for test in tests if not wrong[test.field] for fault in _value_faults(test, known))


def field_faults(field: str, known: Known) -> Iterator[str]:
    space, _, name = field.partition(".")
    match space:
        case "stage" if not name:
            return
        case "profile" if name:
            if known.index is not None and name not in known.index.positions:
                yield f"{field} is not in profile.yaml; add the feature or mend the name"
        case "state" if name:
            if known.purposes is not None or not name.startswith("consent_"):
                consents = (f"state.consent_{purpose}" for purpose in known.purposes or ())
                yield from unknown("field", field, [*(f"state.{one}" for one in STATE_FIELDS), *consents])
        case "action" if name:
            yield from unknown("field", field, [f"action.{one}" for one in ACTION_FIELDS])
        case "experiment" if name:
            yield from unknown("experiment", name, known.arms)
        case "context" | "prediction" if name:
            return
        case _:
            yield f"{field} is none of profile.…, state.…, action.…, context.…, prediction.…, experiment.…, stage"


def scale_faults(field: str, known: Known) -> Iterator[str]:
    """What is wrong with a field that is to be a number."""
    found = list(field_faults(field, known))
    yield from found
    if found:
        return
    if _kind(field, known) not in ("number", "any"):
        yield f"{field} is no number; scale by a field in 0..1 such as prediction.churn"
    elif field.startswith("action."):
        yield f"{field} is no fact of the customer; scale by one in 0..1, or write factors with a scope"


def scope_faults(scope: Scope, known: Known) -> Iterator[str]:
    for what, names, of in (
        ("group", scope.group, known.groups),
        ("action", scope.action, known.actions),
        ("channel", scope.channel, known.channels),
    ):
        for name in names:
            yield from unknown(what, name, of)


def _tests(condition: Condition) -> Iterator[Test]:
    match condition:
        case Test():
            yield condition
        case All(parts) | Any(parts):
            for part in parts:
                yield from _tests(part)
        case Not(part):
            yield from _tests(part)


def _value_faults(test: Test, known: Known) -> Iterator[str]:
    if test.op in ("missing", "present"):
        return
    kind = _kind(test.field, known)
    values = test.literal if isinstance(test.literal, tuple) else (test.literal,)
    match kind:
        case "any":
            return
        case "number":
            for value in values:
                if not _is_number(value):
                    yield f"{test.field} is a number, {_shown(value)} is none; compare it with a number"
        case "truth":
            if test.op not in ("=", "!=", "in") or not all(isinstance(value, bool) for value in values):
                yield f"{test.field} is true or false; write {test.field} = true, or = false"
        case words:
            if test.op not in ("=", "!=", "in"):
                yield f"{test.field} is a word, which {test.op} cannot compare; write = or in"
                return
            for value in values:
                if not isinstance(value, str) and _shown(value) in words:
                    yield f"{test.field} is a word, not a number; write '{_shown(value)}' in quotes"
                else:
                    yield from unknown(f"value of {test.field}", _shown(value), words)


def _kind(field: str, known: Known) -> _Kind:
    space, _, name = field.partition(".")
    words: Collection[str] | None = None
    match space:
        case "prediction":
            return "number"
        case "state":
            return "truth" if name in _TRUTHS or name.startswith("consent_") else "number"
        case "profile" if known.index is not None:
            return known.index[name].labels or "number"
        case "action" if name not in _WORDS_OF_ACTIONS:
            return "number"
        case "action":
            words = {
                "name": known.actions,
                "group": known.groups,
                "job": get_args(Job),
                "topic": known.topics,
                "partner": known.partners,
            }[name]
        case "experiment" if known.arms is not None:
            words = known.arms[name]
        case "stage":
            words = known.stages
    return "any" if words is None else words


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
