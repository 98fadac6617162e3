"""Rated feedback of a made-up shop: what people write follows how they feel, in words that a lexicon knows and words that it
does not.
"""

from datetime import timedelta

import numpy as np

from features.log import Record
from features.messages import records_of
from tests.training.worlds import START

EVENT = "Satisfaction Rated"
_PLAIN = (
    "my parcel came by van",
    "i ordered bread and milk",
    "i was at the till",
    "this is my second order",
    "they opened at nine",
)
_GOOD = ("great service", "i love it", "friendly staff", "thanks a lot", "very helpful")
_BAD = ("terrible service", "i am angry", "rude staff", "very disappointed", "i hate waiting")
# what only this shop's customers know to be good or bad: no lexicon has these
_OWN_GOOD = ("arrived before nine", "still warm", "crate was full", "rang twice")
_OWN_BAD = ("stood on the kerb", "two items short", "substituted again", "soggy bags", "left on read")


def feedback(*, count: int, seed: int, own: float = 0.6, known: float = 0.35, customers: int = 400) -> list[Record]:
    """`count` rated texts within 300 days. A text holds phrases of the shop's own with probability `own`, ones that a lexicon
    knows with probability `known`; a tenth of the phrases say the opposite, as irony and slips do.
    """
    random = np.random.default_rng(seed)
    records = []
    for number in range(count):
        feels = random.uniform(-1, 1)
        said = [_PLAIN[random.integers(len(_PLAIN))]]
        for chance, good, bad in ((own, _OWN_GOOD, _OWN_BAD), (known, _GOOD, _BAD)):
            if random.random() < chance:
                among = good if (feels > 0) != (random.random() < 0.1) else bad
                said.append(among[random.integers(len(among))])
        random.shuffle(said)
        rating = int(np.clip(np.round(3 + 2 * feels + random.normal(0, 0.5)), 1, 5))
        at = START + timedelta(days=300 * number / count)
        message = {"type": "track", "event": EVENT, "messageId": f"f{number}", "userId": f"c{random.integers(customers)}"}
        properties = {"rating": rating, "comment": ", ".join(said)}
        records += records_of(message | {"properties": properties}, at=at, known=at)
    return records
