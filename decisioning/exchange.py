"""What the customer gave and what they got for it: counted, the same in every order."""

from dataclasses import replace
from typing import Literal

from decisioning.customer import Exchange

Given = Literal["consent", "preference", "contest", "rating", "referral"]

_DIGITS = 6
"""Sums of money are kept to a millionth: so they do not depend on the order in which they are added."""


def gave(exchange: Exchange, kind: Given) -> Exchange:
    """The exchange once the customer gave one more thing of a kind."""
    return replace(exchange, given={**exchange.given, kind: exchange.given.get(kind, 0) + 1})


def got(exchange: Exchange, worth: float) -> Exchange:
    """The exchange once the customer took one more offer, worth so much to them."""
    return replace(exchange, received=exchange.received + 1, worth=round(exchange.worth + worth, _DIGITS))
