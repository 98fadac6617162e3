"""What the habits of all customers add up to, for those who have none of their own yet."""

from collections.abc import Mapping

import msgspec
import numpy as np

from decisioning.habits import VISITS, answers
from features.decay import DAY_US
from features.packed_rows import StoredRows
from features.schema import ProfileSpec

META = "population"
"""Under this name the online store keeps them."""


def habits(rows: Mapping[str, StoredRows], spec: ProfileSpec) -> dict[str, float]:
    """The sum over the customers of each feature of a habit (see `decisioning.habits`), at the moment of the newest row.

    `rows` are the stored rows by view. Features that the profile does not have, or nobody has a value of, are left out. Sums
    are rounded to float32, as a decision's record keeps them.
    """
    of_habits = {*VISITS, *(name for channel in spec.channels for name in answers(channel))}
    sums: dict[str, float] = {}
    for table in spec.tables:
        stored = rows[table.name]
        wanted = [name for name in table.names if name in of_habits]
        if not wanted or not len(stored.customers):
            continue
        days = (stored.as_of_us.max() - stored.as_of_us) / DAY_US
        for name in wanted:
            half_life = spec.index[name].half_life_days
            faded = np.exp2(-days / half_life) if half_life else 1.0
            now = stored.values[:, table.names.index(name)] * faded
            if not np.isnan(now).all():
                sums[name] = float(np.float32(np.nansum(now)))
    return sums


def encode(sums: Mapping[str, float]) -> str:
    return msgspec.json.encode(sums).decode()


def decode(text: str | None) -> dict[str, float]:
    """What `encode` wrote; nothing where none was kept."""
    return {} if text is None else msgspec.json.decode(text, type=dict[str, float])
