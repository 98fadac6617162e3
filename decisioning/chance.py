"""Chance as an argument: salted hashes, and probabilities as integers that sum exactly.

A probability is an integer number of units of 2^-40. Integers are logged, drawn from and added up without rounding, so a
decision draws the same on every machine.
"""

from collections.abc import Mapping
from fractions import Fraction
from hashlib import blake2b

UNIT_BITS = 40
WHOLE = 1 << UNIT_BITS


def hashed(salt: str, *parts: str) -> int:
    """A number in [0, 2^40), uniform over salts and parts, the same on every machine."""
    text = "\x1f".join((salt, *parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> (64 - UNIT_BITS)


def to_units(weights: Mapping[str, float]) -> dict[str, int]:
    """Weights >= 0 as integers that sum to exactly 2^40, by largest remainder; ties go to the smaller name.

    A weight of exactly 0 stays exactly 0.

    >>> sum(to_units({"a": 1.0, "b": 1.0, "c": 1.0}).values()) == WHOLE
    True
    """
    exact = {name: Fraction(weight) for name, weight in weights.items()}
    total = sum(exact.values())
    if total <= 0:
        raise ValueError("at least one weight must be above 0")
    shares = {name: weight * WHOLE / total for name, weight in exact.items()}
    units = {name: int(share) for name, share in shares.items()}
    left = WHOLE - sum(units.values())
    by_remainder = sorted((name for name in shares if exact[name] > 0), key=lambda name: (units[name] - shares[name], name))
    for name in by_remainder[:left]:
        units[name] += 1
    return units


def draw(units: Mapping[str, int], at: int) -> str:
    """The name whose stretch of [0, 2^40) holds `at`; the stretches lie in the order of the names."""
    reached = 0
    for name in sorted(units):
        reached += units[name]
        if at < reached:
            return name
    raise ValueError("the units do not sum to 2^40")
