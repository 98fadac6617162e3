"""A treatment's text becomes a message: `{field|fallback}` only, from an allow-list, nothing computed."""

import re
from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from decisioning.catalog import Action
from decisioning.customer import Profile, State
from decisioning.domain import Message

FIELDS: frozenset[str] = frozenset({"brand", "first_name", "points", "tier", "topic", "valid_until"})
_ALWAYS_KNOWN: frozenset[str] = frozenset({"brand"})
_PLACEHOLDER = re.compile(r"\{([^{}|]*)(?:\|([^{}|]*))?\}")


def render(template: Message, values: Mapping[str, str]) -> Message:
    """The message with every placeholder filled; a field without a value takes its fallback.

    >>> render(Message(title="Hello {first_name|neighbour}", body="from {brand}"), {"brand": "Corner"}).title
    'Hello neighbour'
    """
    return Message(title=_fill(template.title, values), body=_fill(template.body, values), cta=_fill(template.cta, values))


def faults(template: Message) -> list[str]:
    """What is wrong with a treatment's text: unknown fields, missing fallbacks, stray braces, an empty title."""
    found = [] if template.title.strip() else ["the title is empty"]
    for text in (template.title, template.body, template.cta):
        for field, fallback in _PLACEHOLDER.findall(text):
            if field not in FIELDS:
                found.append(f"unknown field {{{field}}}; the known ones are {', '.join(sorted(FIELDS))}")
            elif not fallback and field not in _ALWAYS_KNOWN:
                found.append(f"{{{field}}} has no fallback; write {{{field}|...}}")
        if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
            found.append(f"a brace without its partner in {text!r}; write {{field|fallback}}")
    return found


def message_values(*, profile: Profile, state: State, brand: str) -> dict[str, str]:
    """What placeholders may say of the customer; what is not known is left out and takes its fallback."""
    values = {"brand": brand}
    if first_name := state.traits.get("first_name"):
        values["first_name"] = first_name
    if isinstance(points := profile.get("points"), float):
        values["points"] = f"{points:,.0f}"
    if isinstance(tier := profile.get("tier"), str):
        values["tier"] = tier
    return values


def action_values(action: Action, *, zone: ZoneInfo) -> dict[str, str]:
    """What placeholders may say of the action."""
    values = {}
    if action.topics:
        values["topic"] = action.topics[0].replace("_", " ")
    if action.valid_until is not None:
        # valid until midnight means valid through the day before
        last = (action.valid_until - timedelta(seconds=1)).astimezone(zone)
        values["valid_until"] = f"{last:%B} {last.day}"
    return values


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1]) or found[2] or "", text)
