"""Which language a text is in: tags such as `es` or `es-US`, and the nearest of those at hand."""

import re
from collections.abc import Iterable

_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?")


def is_tag(text: str) -> bool:
    """Whether it is a language with perhaps a script and a region, as BCP 47 writes them: es, zh-Hant, es-US, es-419."""
    return _TAG.fullmatch(text) is not None


def nearest(wanted: str | None, known: Iterable[str]) -> str | None:
    """The known tag that is wanted, or the one left after taking off the wanted one's last parts (RFC 4647, section 3.4).

    Capitals do not matter, and es_MX is read as es-MX. None where no known tag is left.

    >>> nearest("es-MX", ["en-US", "es"])
    'es'
    """
    at_hand = {_form(tag): tag for tag in known}
    left = _form(wanted or "")
    while left and left not in at_hand:
        left = left.rpartition("-")[0]
    return at_hand.get(left)


def language(tag: str) -> str:
    """The language alone: `en` of en-US."""
    return _form(tag).partition("-")[0]


def _form(tag: str) -> str:
    return tag.replace("_", "-").lower()
