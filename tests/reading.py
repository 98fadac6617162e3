"""How easily a text is read: the Flesch-Kincaid grade, the school years that it asks for.

Kincaid, Fishburne, Rogers and Chissom, Derivation of new readability formulas, Research Branch Report 8-75, 1975:
0.39 words a sentence + 11.8 syllables a word - 15.59.
"""

import re

_SENTENCE = re.compile(r"[.!?]+(?=\s|$)")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_VOWELS = re.compile(r"[aeiouy]+")


def grade(text: str) -> float:
    """Of a text of at least one word; a last sentence needs no full stop.

    >>> grade("The cat sat on the mat.") < 1 < 12 < grade("Organisational considerations necessitate reconsideration.")
    True
    """
    words = _WORD.findall(text)
    sentences = sum(_WORD.search(one) is not None for one in _SENTENCE.split(text))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    """Groups of vowels, without a silent e; a number is read as one.

    >>> [syllables(word) for word in ("cat", "bakery", "place", "table", "noticed", "wanted", "2018")]
    [1, 3, 1, 2, 2, 2, 1]
    """
    word = word.lower()
    count = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee", "ye"))
    silent = silent or (word.endswith("ed") and not word.endswith(("ted", "ded", "eed")))
    return max(1, count - silent)
