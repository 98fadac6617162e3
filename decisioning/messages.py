"""A treatment's text becomes a message: `{field|fallback}` only, from an allow-list, nothing computed."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from decisioning.catalog import Action
from decisioning.customer import Profile, State
from decisioning.domain import Message
from decisioning.locales import language

FIELDS: frozenset[str] = frozenset({"brand", "first_name", "gives", "partner", "points", "tier", "topic", "valid_until"})
OF_PROFILE: frozenset[str] = frozenset({"points", "tier"})
"""Those that the feature of the same name fills."""
OF_THE_ACTION: frozenset[str] = frozenset({"gives", "partner"})
"""Fields that an action either has or has not."""
PARTS = ("title", "body", "cta")
_SYMBOLS = {"AUD": "A$", "CAD": "CA$", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "KRW": "₩", "MXN": "MX$", "USD": "$"}
_PLACEHOLDER = re.compile(r"\{([^{}|]*)(?:\|([^{}|]*))?\}")


def render(template: Message, values: Mapping[str, str]) -> Message:
    """The message with every placeholder filled; a field without a value takes its fallback.

    >>> render(Message(title="Hello {first_name|neighbour}", body="from {brand}"), {"brand": "Corner"}).title
    'Hello neighbour'
    """
    return Message(title=_fill(template.title, values), body=_fill(template.body, values), cta=_fill(template.cta, values))


def always_known(action: Action | None = None) -> frozenset[str]:
    """The fields that need no fallback in the texts of an action, or in those of a touchpoint."""
    known = {"brand"}
    if action is not None and action.partner:
        known.add("partner")
    if action is not None and action.gives > 0:
        known.add("gives")
    return frozenset(known)


def faults(template: Message, *, known: Collection[str] = ("brand",)) -> Iterator[tuple[str, str]]:
    """What is wrong with a text's form, by its part: unknown fields, missing fallbacks, stray braces, an empty title.

    `known` are the fields that always have a value here.
    """
    if not template.title.strip():
        yield "title", "the title is empty; write what the customer reads first"
    for part in PARTS:
        text = getattr(template, part)
        for field, fallback in _PLACEHOLDER.findall(text):
            if field not in FIELDS:
                yield part, f"unknown field {{{field}}}; the known ones are {', '.join(sorted(FIELDS))}"
            elif not fallback and field in OF_THE_ACTION and field not in known:
                yield (
                    part,
                    f"{{{field}}} has no fallback, and the action names no {field}; add {field}, or write {{{field}|...}}",
                )
            elif not fallback and field not in known:
                yield part, f"{{{field}}} has no fallback; write {{{field}|...}}"
        if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
            yield part, f"a brace without its partner in {text!r}; write {{field|fallback}}"


def with_fallbacks(text: str, values: Mapping[str, str]) -> str:
    """The text as it reads where nothing else is known; a field without value and fallback stands there by its name."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1]) or found[2] or found[1], text)


def fields_of(text: str) -> set[str]:
    """The fields that a text names."""
    return {found[1] for found in _PLACEHOLDER.finditer(text)}


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


def action_values(action: Action, *, zone: ZoneInfo, currency: str = "", locale: str = "en") -> dict[str, str]:
    """What placeholders may say of the action, in a text of this locale."""
    values = {}
    if action.topics:
        values["topic"] = action.topics[0].replace("_", " ")
    if action.valid_until is not None:
        # valid until midnight means valid through the day before
        last = (action.valid_until - timedelta(seconds=1)).astimezone(zone)
        # the names of the months are English; a date in figures is understood everywhere
        values["valid_until"] = f"{last:%B} {last.day}" if language(locale) == "en" else f"{last:%Y-%m-%d}"
    if action.partner:
        values["partner"] = action.partner
    if action.gives > 0:
        values["gives"] = money(action.gives, currency)
    return values


def money(amount: float, currency: str) -> str:
    """An amount for people: its currency by its sign where it has a known one, else by its code.

    >>> money(5.0, "USD"), money(1234.5, "CHF")
    ('$5', '1,234.50 CHF')
    """
    figures = f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}"
    return f"{_SYMBOLS[currency]}{figures}" if currency in _SYMBOLS else f"{figures} {currency}".strip()


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1]) or found[2] or "", text)
