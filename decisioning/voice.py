"""How the brand speaks: what it never says, how much of it at once, and in which tone to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from decisioning.catalog import Action, Treatment

Mood = Literal["upset", "usual", "happy"]
MOODS: tuple[Mood, ...] = ("upset", "usual", "happy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """At most so many characters of each part of a message, and marks and capital words in all of it; None is any number."""

    title_characters: int | None = None
    body_characters: int | None = None
    cta_characters: int | None = None
    exclamation_marks: int | None = None
    capital_words: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone(Limits):
    """A way of speaking: limits of its own, `must_say` at least one of these, `never_says` any of those."""

    must_say: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What every text of the brand keeps to; a text that does not is a fault when the catalog loads.

    `forbidden` are claims and `urgency` words that press for time; both are never said. `limits` hold everywhere, those of a
    channel in `limits_on` take the place of theirs one by one, and a tone can only be stricter. `abbreviations` may stand
    in capitals. `tone` is that of a treatment which names none. `tone_of` lists, the best first, the tones that fit a
    customer who is `upset` or `happy`, or in a journey stage; where a mood is listed its stage does not count, and where
    neither is, every tone fits. `partner_disclosure` stands in every text of an action with a partner, in other locales
    what `partner_disclosure_in` says for them.
    """

    forbidden: tuple[str, ...] = ()
    urgency: tuple[str, ...] = ()
    abbreviations: tuple[str, ...] = ()
    limits: Limits = Limits()
    limits_on: Mapping[str, Limits] = field(default_factory=dict)
    tones: Mapping[str, Tone] = field(default_factory=dict)
    tone: str | None = None
    tone_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    partner_disclosure: str = ""
    partner_disclosure_in: Mapping[str, str] = field(default_factory=dict)


def treatment_for(action: Action, touchpoint: str, voice: Voice, *, stage: str, mood: Mood) -> Treatment | None:
    """What an action says at a touchpoint to a customer in this stage and mood; None where it has no fitting tone for them.

    Of several that fit, the one whose tone is listed first; of one tone, the one written first.
    """
    return chosen(action.treatments.get(touchpoint, ()), voice, stage=stage, mood=mood)


def chosen(treatments: Sequence[Treatment], voice: Voice, *, stage: str, mood: Mood) -> Treatment | None:
    fitting = tones_for(voice, stage=stage, mood=mood)
    if fitting is None:
        return treatments[0] if treatments else None
    toned = [(fitting.index(tone), one) for one in treatments if (tone := one.tone or voice.tone) in fitting]
    return min(toned, key=lambda pair: pair[0])[1] if toned else None


def fits(treatments: Sequence[Treatment], voice: Voice, *, stage: str, mood: Mood) -> bool:
    """Whether any of these treatments may be shown to a customer in this stage and mood."""
    return chosen(treatments, voice, stage=stage, mood=mood) is not None


def tones_for(voice: Voice, *, stage: str, mood: Mood) -> tuple[str, ...] | None:
    """The tones that fit, the best first; None where every one does."""
    return voice.tone_of.get(mood) or voice.tone_of.get(stage)
