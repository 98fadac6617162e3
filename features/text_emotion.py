"""What a text says of how its writer feels, by the words of a lexicon and the rules of grammar that turn them.

VADER: Hutto and Gilbert, A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text, ICWSM 2014. The lexicon
lies in `features/vader`. Scores equal the package's but where one valence stands on both sides of "but": there the package
weighs the wrong one of the two. English only: in other texts there is little confidence (see `features.english.likely`).
"""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path

from decisioning.emotion import Feeling
from features.english import DEGREE_PHRASES, DEGREES, PHRASES, likely, negates

NAME = "vader-3.3.2"
"""Names this reading in records: the lexicon and these rules."""
LONGEST = 10_000
"""Characters of a text that are read; what stands behind them says nothing."""

_FOLDER = Path(__file__).parent / "vader"
_CAPITALS, _NEGATED, _EMPHATIC = 0.733, -0.74, 1.25
_FADES = (1.0, 0.95, 0.9)
"""How much of a degree adverb counts one, two and three words before the word that it turns."""
_POINTING = ("so", "this")
_SPREAD = 15
"""Sums of valences become s / sqrt(s^2 + 15)."""
_BEFORE_BUT, _AFTER_BUT = 0.5, 1.5
_EXCLAMATION, _MOST_EXCLAMATIONS = 0.292, 4
_QUESTION, _MANY_QUESTIONS = 0.18, 0.96
_SURE = 0.5
"""With n words that say something, confidence is at most n / (n + 0.5): two thirds for one, 0.8 for two."""


def feeling(text: str) -> Feeling:
    """The feeling in a text; intensity and confidence are 0 where no word of the lexicon stands in it.

    `valence` is VADER's compound score, and `intensity` its size, as of a rating. `confidence` is how far the words agree,
    |sum| / sum of sizes, times n / (n + 0.5) for their number n, times how likely the text is English.
    """
    said = _said(text)
    valences = [one for one in _valences(said) if one]
    if not valences:
        return Feeling(valence=0.0, intensity=0.0, confidence=0.0)
    valence = _compound(sum(valences), said.text)
    agreement = abs(sum(valences)) / sum(map(abs, valences))
    sure = len(valences) / (len(valences) + _SURE)
    return Feeling(valence=valence, intensity=abs(valence), confidence=min(1.0, agreement * sure * likely(said.small)))


@dataclass(frozen=True, slots=True)
class _Said:
    """`text` with emoji as their names; `words` of it and the same in small letters; whether only some are in capitals."""

    text: str
    words: Sequence[str]
    small: Sequence[str]
    some_capitals: bool


def _said(text: str) -> _Said:
    text = text[:LONGEST].replace("’", "'")
    if not text.isascii():
        text = _emoji().sub(_named, text)
    text = text.strip()
    words = [_bare(word) for word in text.split()]
    capitals = sum(map(str.isupper, words))
    return _Said(text, words, [word.lower() for word in words], 0 < capitals < len(words))


def _bare(word: str) -> str:
    """Without the punctuation around it, unless it is so short that it may be an emoticon."""
    bare = word.strip(string.punctuation)
    return bare if len(bare) > 2 else word


def _valences(said: _Said) -> list[float]:
    """(words,): what each word adds; 0 for most."""
    known, small = _lexicon(), said.small
    found = [
        _valence(said, at)
        if word in known and word not in DEGREES and not (word == "kind" and small[at + 1 : at + 2] == ["of"])
        else 0.0
        for at, word in enumerate(small)
    ]
    if "but" in small:
        turn = small.index("but")
        found = [one * _BEFORE_BUT if at < turn else one * _AFTER_BUT if at > turn else one for at, one in enumerate(found)]
    return found


def _valence(said: _Said, at: int) -> float:
    """What a word of the lexicon adds where it stands: by its capitals and up to three words before it."""
    known, small = _lexicon(), said.small
    valence = known[small[at]]
    if small[at] == "no" and at + 1 < len(small) and small[at + 1] in known:
        valence = 0.0  # it negates that word, and says nothing by itself
    if _follows_no(small, at):
        valence = known[small[at]] * _NEGATED
    if said.some_capitals and said.words[at].isupper():
        valence += _CAPITALS if valence > 0 else -_CAPITALS
    for back in range(1, 4):
        if at < back or small[at - back] in known:
            continue
        valence += _degree(said, at - back, valence) * _FADES[back - 1]
        valence *= _turned(small, at, back)
        if back == 3:
            valence = _in_phrases(small, at, valence)
    if at and small[at - 1] == "least" and (at == 1 or small[at - 2] not in ("at", "very")):
        valence *= _NEGATED
    return valence


def _follows_no(small: Sequence[str], at: int) -> bool:
    if "no" in small[max(0, at - 2) : at]:
        return True
    return at > 2 and small[at - 3] == "no" and small[at - 1] in ("or", "nor")


def _degree(said: _Said, at: int, valence: float) -> float:
    """What a degree adverb does to a word of this valence."""
    degree = DEGREES.get(said.small[at], 0.0)
    if not degree:
        return 0.0
    if valence < 0:
        degree = -degree
    if said.some_capitals and said.words[at].isupper():
        degree += _CAPITALS if valence > 0 else -_CAPITALS
    return degree


def _turned(small: Sequence[str], at: int, back: int) -> float:
    """What a word some words back multiplies by, if it negates; "never so" and "without doubt" do not."""
    word = small[at - back]
    # as VADER counts: three words back, "so" and "this" right before the word speak for themselves
    if back == 3 and small[at - 1] in _POINTING:
        return _EMPHATIC
    if not negates(word):
        return 1.0
    if back > 1 and word == "never" and small[at - back + 1] in _POINTING:
        return _EMPHATIC
    return 1.0 if word == "without" and "doubt" in small[at - back + 1 : at] else _NEGATED


def _in_phrases(small: Sequence[str], at: int, valence: float) -> float:
    """The valence of a phrase that the word ends, follows or begins; what is said of one in two words, as kind of."""
    three, two, one, word = small[at - 3 : at + 1]
    ends = (f"{one} {word}", f"{two} {one} {word}", f"{two} {one}", f"{three} {two} {one}", f"{three} {two}")
    valence = next((PHRASES[phrase] for phrase in ends if phrase in PHRASES), valence)
    for length in (2, 3):
        valence = PHRASES.get(" ".join(small[at : at + length]), valence) if at + length <= len(small) else valence
    for phrase in (ends[3], ends[4], ends[2]):
        valence += DEGREE_PHRASES.get(phrase, 0.0)
    return valence


def _compound(total: float, text: str) -> float:
    """From -1 to 1. Exclamation and question marks strengthen whatever is said."""
    asked = text.count("?")
    emphasis = min(text.count("!"), _MOST_EXCLAMATIONS) * _EXCLAMATION
    emphasis += asked * _QUESTION if 2 <= asked <= 3 else _MANY_QUESTIONS if asked > 3 else 0.0
    total += emphasis if total > 0 else -emphasis if total < 0 else 0.0
    return max(-1.0, min(1.0, total / sqrt(total * total + _SPREAD)))


@cache
def _lexicon() -> Mapping[str, float]:
    return {word: float(valence) for word, valence in _lines("vader_lexicon.txt")}


@cache
def _names() -> Mapping[str, str]:
    """The name in words of each emoji of one character."""
    return {emoji: name for emoji, name in _lines("emoji_utf8_lexicon.txt") if len(emoji) == 1}


@cache
def _emoji() -> re.Pattern[str]:
    return re.compile(f"[{''.join(map(re.escape, _names()))}]")


def _named(emoji: re.Match[str]) -> str:
    before = emoji.string[: emoji.start()][-1:]
    return ("" if before in ("", " ") else " ") + _names()[emoji[0]]


def _lines(name: str) -> Iterator[tuple[str, str]]:
    for line in (_FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line.strip():
            word, said, *_ = line.strip().split("\t")
            yield word, said
