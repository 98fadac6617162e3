"""One side of the point-in-time benchmark, in a process of its own: its processor time, wall time and peak memory as JSON.

    python -m benchmarks.frame_sides kairos|duckdb FOLDER

A first call on a few labels pays for imports and connections; the time is that of the second, on all of them. The memory is
the peak of the whole process, imports and all.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import polars as pl

from benchmarks.entry import timed

VIEWS = {"view0": 13, "view1": 13, "view2": 12}
LABELS = "labels.parquet"
STAMP = "bench"


def half_life_days(feature: int) -> int:
    return 7 * (feature + 1)


def names(view: str) -> list[str]:
    return [f"{view}_f{at}" for at in range(VIEWS[view])]


def kairos(folder: Path, labels: pl.DataFrame) -> pl.DataFrame:
    from features import offline
    from features.workspace import Workspace

    return offline.training_frame(Workspace.load(folder), labels)


def duckdb(folder: Path, labels: pl.DataFrame) -> pl.DataFrame:
    """What one would write by hand: an ASOF join a view and the decay in SQL."""
    import duckdb

    chosen, joins = [], []
    for view in VIEWS:
        file = folder / ".kairos" / "offline" / STAMP / f"{view}.parquet"
        age = f"((epoch_us(labels.at) - {view}.{view}_as_of) / 86400e6)"
        chosen += [
            f"CAST({view}.{name} * pow(2, -{age} / {half_life_days(at)}) AS FLOAT) AS {name}"
            for at, name in enumerate(names(view))
        ]
        joins.append(
            f"ASOF LEFT JOIN read_parquet('{file}') {view} "
            f"ON labels.customer_id = {view}.customer_id AND labels.at > {view}.event_timestamp"
        )
    numbered = labels.with_row_index("row")
    with duckdb.connect() as connection:
        connection.register("labels", numbered.to_arrow())
        found = connection.sql(
            f"SELECT labels.*, {', '.join(chosen)} FROM labels {' '.join(joins)} ORDER BY row"
        ).to_arrow_table()
    frame = pl.from_arrow(found)
    assert isinstance(frame, pl.DataFrame), "a table makes a frame"
    return frame.drop("row")


SIDES = {"kairos": kairos, "duckdb": duckdb}


def _peak_bytes() -> int:
    """Of this program alone: what getrusage says begins with what the process was that started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    side, folder = SIDES[sys.argv[1]], Path(sys.argv[2])
    labels = pl.read_parquet(folder / LABELS)
    side(folder, labels.head(10))
    made: list[pl.DataFrame] = []
    taken = timed(lambda: made.append(side(folder, labels)))
    features = made[0].select(name for view in VIEWS for name in names(view))
    told = {
        **asdict(taken),
        "peak_bytes": _peak_bytes(),
        # that both sides made the same frame
        "rows": made[0].height,
        "known": sum(features.count().row(0)),
        "total": sum(features.sum().row(0)),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
