"""What an event says of the customer's experience, and how long a feeling lasts."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log2
from typing import Literal

from decisioning.customer import Emotion, State
from decisioning.policy import Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeling:
    """Valence -1 to 1, intensity and confidence 0 to 1."""

    valence: float
    intensity: float
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not (-1 <= self.valence <= 1 and 0 <= self.intensity <= 1 and 0 <= self.confidence <= 1):
            raise ValueError("valence lies in -1..1, intensity and confidence in 0..1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """How to read an event: a fixed `emotion`, or the property `rating` on a `scale` from worst to best.

    It may open or close a `complaint`, and begin or end a time of `hardship` that the customer is in.
    """

    complaint: Literal["opened", "closed"] | None = None
    hardship: Literal["began", "ended"] | None = None
    emotion: Feeling | None = None
    rating: str | None = None
    scale: tuple[float, float] = (1.0, 5.0)

    def __post_init__(self) -> None:
        if self.emotion is not None and self.rating is not None:
            raise ValueError("give either emotion or rating, not both")
        if self.scale[0] == self.scale[1]:
            raise ValueError("the two ends of scale must differ")

    def feeling(self, value: float | None) -> Feeling | None:
        """The feeling an event carries; a rating outside its scale is taken at the nearer end, a missing one says nothing."""
        if self.rating is None or value is None:
            return self.emotion
        worst, best = self.scale
        valence = max(-1.0, min(1.0, 2.0 * (value - worst) / (best - worst) - 1.0))
        return Feeling(valence=valence, intensity=abs(valence))


def felt(state: State, feeling: Feeling | None, *, at: datetime, half_life: timedelta) -> State:
    """The state after a feeling at a time: the stronger of what is left of the old feeling and the new one stays.

    Neither a pleasant feeling nor one that is less sure hides a negative one: those stay `unhealed` beside it.
    A feeling that became known late fades from when it was felt, so that the order of arrival does not matter.
    """
    if feeling is None:
        return state
    new = Emotion(valence=feeling.valence, intensity=feeling.intensity, confidence=feeling.confidence, at=at)
    known = {new, *negative(state), *([state.emotion] if state.emotion is not None else [])}
    moment = max(one.at for one in known)
    newer_first = sorted(known, key=_newness, reverse=True)
    strongest_first = sorted(newer_first, key=lambda one: -intensity_at(one, moment, half_life=half_life))
    unhealed, surest = list[Emotion](), -1.0
    for one in strongest_first:
        if one.valence < 0 and one.confidence > surest:
            surest = one.confidence
            unhealed.append(one)
    strongest = strongest_first[0]
    return replace(state, emotion=strongest, unhealed=tuple(one for one in unhealed if one != strongest))


def negative(state: State) -> tuple[Emotion, ...]:
    """The negative feelings that are kept, the strongest first; each is surer than those before it."""
    first = () if state.emotion is None or state.emotion.valence >= 0 else (state.emotion,)
    return (*first, *state.unhealed)


def _newness(emotion: Emotion) -> tuple[datetime, float, float, float]:
    return emotion.at, emotion.intensity, emotion.valence, emotion.confidence


def intensity_at(emotion: Emotion, now: datetime, *, half_life: timedelta) -> float:
    """What is left of a feeling's intensity: it halves every half-life."""
    age = max(timedelta(0), now - emotion.at)
    return float(emotion.intensity * 2.0 ** (-(age / half_life)))


def is_strong(emotion: Emotion | None, limits: Suppression, now: datetime) -> bool:
    """Whether a feeling is certain enough, and still intense enough, to go by."""
    return (
        emotion is not None
        and emotion.confidence >= limits.confidence
        and intensity_at(emotion, now, half_life=limits.half_life) >= limits.intensity
    )


def suppressing(state: State, limits: Suppression, now: datetime) -> tuple[Emotion, ...]:
    """The negative feelings that stop selling."""
    return tuple(one for one in negative(state) if is_strong(one, limits, now))


def heals_at(emotion: Emotion, policy: Suppression) -> datetime:
    """When a suppressing emotion is first below the policy's intensity: just after at + half_life * log2(intensity / limit)."""
    ratio = max(emotion.intensity / policy.intensity, 1.0)
    return emotion.at + policy.half_life * log2(ratio) + timedelta(microseconds=1)
