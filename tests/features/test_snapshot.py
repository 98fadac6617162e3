import numpy as np
import pytest

from features.decay import DAY_US
from features.packed_rows import StoredRows
from features.snapshot import snapshot
from tests.features.worlds import spec


@pytest.mark.parametrize("chunk", [1, 2, 50_000])
def test_each_customer_has_the_newest_profile_aged_and_strangers_have_none(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.snapshot._CHUNK", chunk)
    profile = spec()
    at = profile.index.positions
    rows = {
        table.name: StoredRows(
            ["c", "a", "z"], np.full((3, len(table.columns)), 8.0), *(np.array([0, 30, 60]) * DAY_US for _ in range(2))
        )
        for table in profile.tables
    }
    made = snapshot(profile, rows, ["a", "b", "c"], 60 * DAY_US)
    assert made.shape == (3, len(profile.index)) and np.isnan(made[1]).all()
    assert (made[0, at["orders_30d"]], made[2, at["orders_30d"]]) == (4.0, 2.0)
    assert (made[0, at["since_order"]], made[2, at["since_order"]]) == (38.0, 68.0)
