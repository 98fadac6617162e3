"""What a customer asked for: which topics and channels, how often, and not until when. The word given last holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Wanted = Literal["more", "usual", "less", "none"]

PACE = "pace"
PAUSE = "pause"

_STRICTEST: tuple[Wanted, ...] = ("more", "usual", "less", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """One word of the customer, given at a time.

    `wanted` of a topic, a channel or a group of actions. `a_week` of the pace: at most so many messages; None is as the
    brand sees fit. `until` of a pause: nothing that is not mandatory before then; None, or a moment that is over, ends it.
    """

    at: datetime
    wanted: Wanted | None = None
    a_week: int | None = None
    until: datetime | None = None


def topic(name: str) -> str:
    """Under which name the word on a topic is kept."""
    return f"topic:{name}"


def channel(name: str) -> str:
    return f"channel:{name}"


def group(name: str) -> str:
    """Under which name the word on a group of actions is kept: "less like this"."""
    return f"group:{name}"


def stated(preferences: Mapping[str, Preference], words: Iterable[tuple[str, Preference]]) -> dict[str, Preference]:
    """The preferences once these words are known, in whatever order; of two at one moment the one that asks for less."""
    after = dict(preferences)
    for about, word in words:
        before = after.get(about)
        if before is None or _place(word) > _place(before):
            after[about] = word
    return after


def _place(word: Preference) -> tuple[datetime, int, float, float]:
    wanted = -1 if word.wanted is None else _STRICTEST.index(word.wanted)
    rarely = float("-inf") if word.a_week is None else -float(word.a_week)
    return word.at, wanted, rarely, float("-inf") if word.until is None else word.until.timestamp()
