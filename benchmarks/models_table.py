"""What stands in the table of models, and how it is printed."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from training.measured import Metric

ENOUGH_CALIBRATED = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Another side: its AUC, ours less its, and its own calibration error."""

    name: str
    auc: float
    gained: Metric
    calibration_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subject. `chance_error` is the calibration error that a perfectly calibrated model stays below on these rows in 95
    of 100 worlds; `gap` the mean probability less the share of positives, and `even_error` the calibration error that is left
    where one number, added to all log odds, closes it: what is wrong besides the level of the whole period. `to_reach` is the
    AUC that must be, unless ours is better than every other side for certain; None where nothing is known from elsewhere.
    """

    subject: str
    rows: int
    positives: int
    auc: Metric
    to_reach: float | None
    calibration_error: Metric
    chance_error: float
    gap: float
    even_error: float
    beside: tuple[Beside, ...]

    @property
    def holds(self) -> dict[str, bool]:
        """Better than the others for certain, or as good as asked; calibrated as far as one can tell."""
        certain = all(one.gained.low > 0 for one in self.beside)
        return {
            "auc": certain or (self.to_reach is not None and self.auc.value >= self.to_reach),
            "calibration": self.calibration_error.value <= max(ENOUGH_CALIBRATED, self.chance_error),
        }


def page(rows: Sequence[Row]) -> list[str]:
    """The table in Markdown."""
    return ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD), *("| " + " | ".join(line) + " |" for line in lines(rows))]


def printed(rows: Sequence[Row]) -> Table:
    table = Table(*HEAD)
    for line in lines(rows):
        table.add_row(*line)
    return table


HEAD = (
    "subject", "rows (positives)", "AUC", "to reach", "beside", "difference",
    "calibration error", "by chance", "mean said - seen", "error at the right mean", "holds",
)  # fmt: skip


def lines(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Ours first, then a line for each other side."""
    told = []
    for row in rows:
        error = row.calibration_error
        holds = ", ".join(f"{what} {'holds' if one else 'falls short'}" for what, one in row.holds.items())
        told.append(
            (
                row.subject,
                f"{row.rows:,} ({row.positives:,})",
                _interval(row.auc),
                "" if row.to_reach is None else f"{row.to_reach:.3f}",
                "",
                "",
                _interval(error),
                f"{row.chance_error:.4f}",
                f"{row.gap:+.4f}",
                f"{row.even_error:.4f}",
                holds,
            )
        )
        told += [
            ("", "", f"{one.auc:.4f}", "", one.name, _interval(one.gained), f"{one.calibration_error:.4f}", "", "", "", "")
            for one in row.beside
        ]
    return told


def _interval(one: Metric) -> str:
    return f"{one.value:.4f} [{one.low:.4f}, {one.high:.4f}]"
