"""Every customer's newest profile at once, as a matrix: what a build is judged by."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from features.decay import DAY_US
from features.packed_rows import StoredRows
from features.schema import ProfileSpec

_CHUNK = 50_000


def snapshot(spec: ProfileSpec, rows: Mapping[str, StoredRows], customers: Sequence[str], at_us: int) -> NDArray[np.float32]:
    """(n, F): the stored rows of these customers by view, aged to `at_us`, in the order of the index; NaN for missing."""
    place = {customer: at for at, customer in enumerate(customers)}
    where = {view: np.array([place.get(one, -1) for one in stored.customers], dtype=np.int64) for view, stored in rows.items()}
    made = np.empty((len(customers), len(spec.index)), dtype=np.float32)
    for start in range(0, len(customers), _CHUNK):
        end = min(start + _CHUNK, len(customers))
        values, days = np.full((end - start, len(spec.index)), np.nan), np.zeros((end - start, len(spec.index)))
        for table in spec.tables:
            positions = np.array([spec.index.positions[name] for name in table.names], dtype=np.int64)
            mine = np.flatnonzero((where[table.name] >= start) & (where[table.name] < end))
            at = np.ix_(where[table.name][mine] - start, positions)
            values[at] = rows[table.name].values[mine]
            days[at] = ((at_us - rows[table.name].as_of_us[mine]) / DAY_US)[:, None]
        made[start:end] = spec.ageing.aged(values, days, at_us)
    return made
