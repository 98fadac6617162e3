"""A brand's own model of what its customers' words say: a weight a term, learned from texts that came with a rating.

Plain arrays, read without the library that they were learned with. A term is a word, two words in a row or, where the model
says so, a part of a word. valence = sum of weight x tf-idf + intercept, clipped to -1..1, with tf-idf of a text's known terms
(1 + ln count) x idf, scaled to length 1 (Salton and Buckley, Term-weighting approaches, 1988).
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from math import log, sqrt

import msgspec

from decisioning.emotion import Feeling
from features.text_emotion import LONGEST

FORM = 1
"""The version of the form in which a model is kept."""
FEWEST_CUSTOMERS = 10
"""A term that fewer customers used is in no model: what one customer wrote cannot be read from it."""

_TOKEN = re.compile(r"\w{1,40}(?:'\w{1,40})*|[!?]{1,3}|[\u2600-\u27bf\U0001f300-\U0001faff]")
_PARTS = (3, 4)
_PART = "~"


def tokens(text: str) -> list[str]:
    """Words in small letters, runs of ! and ?, emoji; of the first 10,000 characters."""
    return _TOKEN.findall(text[:LONGEST].casefold().replace("’", "'"))


def terms(text: str, *, parts: bool) -> list[str]:
    """The terms of a text with repetitions: words, two in a row, and with `parts` the parts of words of 3 and 4 letters."""
    words = tokens(text)
    found = words + [f"{one} {next_}" for one, next_ in pairwise(words)]
    if parts:
        # spaces around a word tell its beginning and end
        padded = [f" {word} " for word in words]
        found += [_PART + word[at : at + n] for word in padded for n in _PARTS for at in range(len(word) - n + 1)]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class WordModel:
    """`vocabulary` (t,) ascending, `idf` and `weights` (t,) in its order. `customers` is the fewest that used any term.

    `reliability`, 0 to 1, is the rank correlation with ratings on training texts held out in time.
    """

    vocabulary: tuple[str, ...]
    idf: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    parts: bool
    reliability: float
    customers: int
    _places: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = (*self.idf, *self.weights, self.intercept, self.reliability)
        faults = {
            "idf and weights have an entry a term": len(self.vocabulary) == len(self.idf) == len(self.weights),
            "the vocabulary ascends": list(self.vocabulary) == sorted(set(self.vocabulary)),
            "every number is finite": all(map(math.isfinite, numbers)),
            "reliability lies in 0..1": 0 <= self.reliability <= 1,
            f"each term was used by {FEWEST_CUSTOMERS} customers or more": self.customers >= FEWEST_CUSTOMERS,
        }
        if broken := [rule for rule, holds in faults.items() if not holds]:
            raise ValueError(f"no model of words: {'; '.join(broken)}")
        object.__setattr__(self, "_places", {term: at for at, term in enumerate(self.vocabulary)})

    def valence(self, text: str) -> float:
        """What a rating of this text's writer is expected to be, before it is clipped to -1..1."""
        counts = Counter(place for term in terms(text, parts=self.parts) if (place := self._places.get(term)) is not None)
        values = {place: (1 + log(count)) * self.idf[place] for place, count in counts.items()}
        length = sqrt(sum(value * value for value in values.values()))
        if not length:
            return self.intercept
        return self.intercept + sum(self.weights[place] * value for place, value in values.items()) / length

    def feeling(self, text: str) -> Feeling:
        """`intensity` is the size of the valence; `confidence` the share of words that are known, times the reliability.

        With `parts` a word is known by one of its parts. A text without a known word says nothing: all three are 0.
        """
        words = tokens(text)
        known = sum(word in self._places or (self.parts and self._has_part_of(word)) for word in words)
        if not known:
            return Feeling(valence=0.0, intensity=0.0, confidence=0.0)
        valence = max(-1.0, min(1.0, self.valence(text)))
        return Feeling(valence=valence, intensity=abs(valence), confidence=known / len(words) * self.reliability)

    def _has_part_of(self, word: str) -> bool:
        return any(term in self._places for term in terms(word, parts=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextModel:
    """What a bundle says of reading words. `words` is None where the lexicon reads better, or too little was rated: see `why`.

    `metrics` were measured on the test, `fingerprint` is that of the data.
    """

    words: WordModel | None
    why: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def hash(self) -> str:
        """Names it in records: SHA-256 of its kept form, 16 hex digits."""
        return hashlib.sha256(self.encoded()).hexdigest()[:16]

    def encoded(self) -> bytes:
        """The same bytes for the same model."""
        words = None if self.words is None else _Words(**{name: getattr(self.words, name) for name in _Words.__struct_fields__})
        kept = _Kept(form=FORM, words=words, why=self.why, metrics=self.metrics, fingerprint=self.fingerprint)
        return msgspec.json.encode(kept, order="sorted")

    @classmethod
    def decoded(cls, content: bytes) -> "TextModel":
        """Raises ValueError for what is no model, or one of another form."""
        kept = msgspec.json.decode(content, type=_Kept)
        if kept.form != FORM:
            raise ValueError(f"a model of words of form {kept.form}, this version reads {FORM}; train again")
        words = None if kept.words is None else WordModel(**msgspec.structs.asdict(kept.words))
        return cls(words=words, why=kept.why, metrics=kept.metrics, fingerprint=kept.fingerprint)


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    vocabulary: tuple[str, ...]
    idf: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    parts: bool
    reliability: float
    customers: int


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    form: int
    words: _Words | None
    why: str
    metrics: Mapping[str, float]
    fingerprint: str
