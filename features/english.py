"""What reading feelings knows of English: words that strengthen, weaken and negate, set phrases, and whether a text is English.

The lists are those of VADER (Hutto and Gilbert, ICWSM 2014; the package vaderSentiment 3.3.2, MIT).
"""

from collections.abc import Mapping, Sequence

_STRONGER, _WEAKER = 0.293, -0.293
"""What a degree adverb adds to a word's valence, or takes: the mean that people's ratings differed by."""


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_STRENGTHENING = _words(
    """
    absolutely amazingly awfully completely considerable considerably decidedly deeply effing enormous enormously
    entirely especially exceptional exceptionally extreme extremely fabulously flipping flippin frackin fracking
    fricking frickin frigging friggin fully fuckin fucking fuggin fugging greatly hella highly hugely incredible
    incredibly intensely major majorly more most particularly purely quite really remarkably so substantially thoroughly
    total totally tremendous tremendously uber unbelievably unusually utter utterly very
    """
)
_WEAKENING = _words(
    """
    almost barely hardly kinda kindof kind-of less little marginal marginally occasional occasionally partly scarce
    scarcely slight slightly somewhat sorta sortof sort-of
    """
)

DEGREES: Mapping[str, float] = dict.fromkeys(_STRENGTHENING, _STRONGER) | dict.fromkeys(_WEAKENING, _WEAKER)
"""Words that strengthen or weaken what follows; in capitals among small letters they do so more."""
DEGREE_PHRASES: Mapping[str, float] = dict.fromkeys(("just enough", "kind of", "sort of"), _WEAKER)

NEGATIONS = _words(
    """
    aint arent cannot cant couldnt darent didnt doesnt dont hadnt hasnt havent isnt mightnt mustnt neednt neither never
    none nope nor not nothing nowhere oughtnt shant shouldnt uhuh uh-uh wasnt werent without wont wouldnt rarely seldom
    despite
    """
)
"""With these every word that holds n't negates."""

PHRASES: Mapping[str, float] = {
    "the shit": 3.0,
    "the bomb": 3.0,
    "bad ass": 1.5,
    "badass": 1.5,
    "bus stop": 0.0,
    "yeah right": -2.0,
    "kiss of death": -1.5,
    "to die for": 3.0,
    "beating heart": 3.5,
}
"""Phrases that mean something else than their words."""

_ENGLISH = _words(
    """
    a about after again all am an and any are as at be because been but by can could did do does even for from get got
    had has have he her him his how i i'm i've if in is it it's its just like me my no not now of on one only or our out
    over she should so some still than that the their them then there they this to too up us very was we were what when
    which who why will with would you your
    """
)
# common words of German, Dutch, French, Spanish, Portuguese and Italian that are no English words
_FOREIGN = (
    _words(
        """
    aber auch auf aus bei bitte das dem den der doch ein eine einen einer er es für haben habe hat ich ihr immer ist ja
    kein keine leider mehr mein mich mir mit nach nicht noch nur oder schon sehr sein sich sie sind und uns viel von vor
    wenn wie wir wurde zu zum zur een het niet ik je maar ook deze dit voor zijn naar heb heeft wij au avec bien ce
    cette dans des du elle est et été être fait il ils je la le les leur mais mes mon ne nous ont ou par pas plus qu que
    qui sa sans ses sont sur très tout un une vous votre al algo como con cuando de del el ella en era eso esta está
    este fue las lo los más mi muy nada nos pero por porque quiero se si sin su también tiene todo una ya ao até bem com
    ela ele eles em foi isso já mais meu minha muito na nas não nem no os ou para pela pelo quando são sem seu só também
    tem uma você anche che ci da degli dei della delle di dopo era gli hanno ho il io ma mi molto nel non nostro o
    perché più questo qui sempre senza sono su ti tutto uno vi
    """
    )
    - _ENGLISH
)


def negates(word: str) -> bool:
    """Whether a word in small letters negates what follows."""
    return word in NEGATIONS or "n't" in word


def likely(words: Sequence[str]) -> float:
    """From 0 to 1, how far words in small letters look like English, by the commonest words of seven languages.

    (e + 1) / (e + 1 + 2f), with e common English words and f foreign ones or words with letters that English has not. Where
    there is neither, it is taken for English: 1. Many words of a lexicon mean something else elsewhere ("die", "war", "gift").
    """
    english = sum(word in _ENGLISH for word in words)
    foreign = sum(word in _FOREIGN or _has_letters_of_others(word) for word in words)
    return (english + 1) / (english + 1 + 2 * foreign)


def _has_letters_of_others(word: str) -> bool:
    return not word.isascii() and any(letter.isalpha() and not letter.isascii() for letter in word)
