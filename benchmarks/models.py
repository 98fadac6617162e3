"""One command, one table: the models beside what a data scientist would try first, on public data.

    python -m benchmarks.models [--workspace examples/grocer] [--out benchmarks]

Complete Journey by the dates of the demo's models.yaml, the test period read once, and IBM's Telco churn in five folds. AUC and
calibration error (ten bins of equal count) with 95% intervals; beside each other side the difference of the two AUCs on the
same rows, its interval from a bootstrap over customers. Kept as models.json and models.md.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import telco
from benchmarks.models_sides import Floats, Labels, Matrix, defaults, logistic
from features.rows import RowSpec
from features.workspace import Workspace
from measure.curves import perfect_error, reliability
from training import dataset, labels
from training.dataset import Dataset
from training.evaluate import auc, auc_gained, by_group, evaluate
from training.learn import learn
from training.measured import Metric
from training.settings import FILE, Churn, Models, Preference

RFM = ("since_order", "orders_90d", "spend_90d")
"""Recency, frequency, money."""
NEAR = 0.015
"""How far below what others reached on the same split an AUC may be."""
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
    of 100 worlds; `to_reach` the AUC that must be, unless ours is better than every other side for certain; None where nothing
    is known from elsewhere.
    """

    subject: str
    rows: int
    positives: int
    auc: Metric
    to_reach: float | None
    calibration_error: Metric
    chance_error: float
    beside: tuple[Beside, ...]

    @property
    def holds(self) -> dict[str, bool]:
        """Better than the others for certain, or as good as asked; calibrated as far as one can tell."""
        certain = all(one.gained.low > 0 for one in self.beside)
        return {
            "auc": certain or (self.to_reach is not None and self.auc.value >= self.to_reach),
            "calibration": self.calibration_error.value <= max(ENOUGH_CALIBRATED, self.chance_error),
        }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parent
    options.add_argument("--workspace", type=Path, default=here.parent / "examples" / "grocer")
    options.add_argument("--out", type=Path, default=here)
    asked = options.parse_args()
    rows = [*journey(Workspace.load(asked.workspace)), telco_row(telco.predicted(*telco.read()))]
    (asked.out / "models.json").write_text(
        json.dumps([asdict(row) | {"holds": row.holds} for row in rows], indent=1) + "\n", encoding="utf-8"
    )
    (asked.out / "models.md").write_text("\n".join(page(rows)) + "\n", encoding="utf-8")
    Console(width=200).print(printed(rows))


def journey(workspace: Workspace) -> list[Row]:
    """Churn in 30 and 60 days and redemption, by the workspace's models.yaml; imports and builds what is missing."""
    import kairos
    from examples.grocer import base
    from features import offline

    settings = workspace.read(FILE, Models)
    with base.alone(workspace):
        log, _ = base.fresh_log(workspace, lambda: kairos.open_log(workspace), lambda text, done: None)
        offline.build(workspace, log)
        now = workspace.brand.starts_at
        assert now is not None

        def midnight(day: date) -> datetime:
            return workspace.brand.to_utc(datetime.combine(day, time()))

        def read(name: str, one: Churn | Preference) -> Dataset:
            label = labels.churn if isinstance(one, Churn) else labels.preference
            found = label(log, one, midnight=midnight, now=now)
            return dataset.build(workspace, found, dataset.row_of(one), model=name)

        described = {name: one for name, one in settings.described.items() if isinstance(one, Churn | Preference)}
        rows = [row for name, one in described.items() for row in journey_rows(name, read(name, _with_rfm(one)), one)]
        log.close()
    return rows


def journey_rows(name: str, data: Dataset, settings: Churn | Preference) -> list[Row]:
    """`data` has the columns of the settings and those of RFM; the model looks at its own. Offers make two rows: of the chance
    that an offer is taken, which decisions read, and of the chance that any of a household's in a campaign is.
    """
    names = (*settings.columns,) if isinstance(settings, Churn) else (*settings.customer, *settings.action, *settings.cross)
    ours = _of_columns(data, names)
    fitted = learn(ours, settings)
    test, train = data.test, ~data.test
    sides: Mapping[str, Callable[[], Floats]] = {
        "kairos": lambda: fitted.answer.probabilities(fitted.raw(ours.matrix[test])),
        "RFM logistic": lambda: _asked(logistic, _of_columns(data, RFM), train, test),
        "LightGBM defaults": lambda: _asked(defaults, ours, train, test),
    }
    who, truth = [data.customers[int(row)] for row in np.flatnonzero(test)], data.labels[test]
    said = {side: predict() for side, predict in sides.items()}
    if data.groups is None:
        to_reach = settings.references["auc"].value - NEAR
        return [compared(f"Complete Journey, {name}", truth, said, customers=who, to_reach=to_reach)]
    by_offer = compared("Complete Journey, an offer redeemed", truth, said, customers=who, to_reach=None)
    groups = [data.groups[int(row)] for row in np.flatnonzero(test)]
    grouped = {side: by_group(truth, one, customers=who, groups=groups) for side, one in said.items()}
    who, truth, _ = grouped["kairos"]
    by_campaign = {side: probabilities for side, (_, _, probabilities) in grouped.items()}
    to_reach = settings.references["group_auc"].value - NEAR
    subject = "Complete Journey, redemption in a campaign"
    return [by_offer, compared(subject, truth, by_campaign, customers=who, to_reach=to_reach)]


def telco_row(found: telco.Predicted) -> Row:
    """AUC within each fold would hide how folds differ; this one is over all customers, each predicted once."""
    said = {"kairos": found.kairos, "logistic": found.logistic, "LightGBM defaults": found.defaults}
    who = [str(row) for row in range(len(found.labels))]
    return compared("IBM Telco, 5 folds", found.labels, said, customers=who, to_reach=0.845)


def compared(
    subject: str, truth: Labels, said: Mapping[str, Floats], *, customers: Sequence[str], to_reach: float | None
) -> Row:
    """Kairos beside each other side."""
    ours = said["kairos"]
    found = evaluate(truth, ours, customers=customers)
    return Row(
        subject=subject,
        rows=len(truth),
        positives=int(truth.sum()),
        auc=found["auc"],
        to_reach=to_reach,
        calibration_error=found["calibration_error"],
        chance_error=perfect_error(ours),
        beside=tuple(
            Beside(
                name=name,
                auc=auc(truth, other),
                gained=auc_gained(truth, ours, other, customers=customers),
                calibration_error=reliability(truth, other).error,
            )
            for name, other in said.items()
            if name != "kairos"
        ),
    )


def page(rows: Sequence[Row]) -> list[str]:
    """The table in Markdown."""
    return ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD), *("| " + " | ".join(line) + " |" for line in lines(rows))]


def printed(rows: Sequence[Row]) -> Table:
    table = Table(*HEAD)
    for line in lines(rows):
        table.add_row(*line)
    return table


HEAD = ("subject", "rows (positives)", "AUC", "to reach", "beside", "difference", "calibration error", "by chance", "holds")


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
                holds,
            )
        )
        told += [
            ("", "", f"{one.auc:.4f}", "", one.name, _interval(one.gained), f"{one.calibration_error:.4f}", "", "")
            for one in row.beside
        ]
    return told


def _interval(one: Metric) -> str:
    return f"{one.value:.4f} [{one.low:.4f}, {one.high:.4f}]"


def _with_rfm(one: Churn | Preference) -> Churn | Preference:
    if isinstance(one, Churn):
        return replace(one, columns=tuple(dict.fromkeys((*one.columns, *RFM))))
    return replace(one, customer=tuple(dict.fromkeys((*one.customer, *RFM))))


def _of_columns(data: Dataset, names: Sequence[str]) -> Dataset:
    kept = [at for at, column in enumerate(data.row.columns) if column.name in names]
    return replace(
        data, row=RowSpec(tuple(data.row.columns[at] for at in kept)), matrix=np.ascontiguousarray(data.matrix[:, kept])
    )


def _asked(
    side: Callable[[Matrix, Labels, Matrix], Floats], data: Dataset, train: NDArray[np.bool_], test: NDArray[np.bool_]
) -> Floats:
    return side(data.matrix[train], data.labels[train], data.matrix[test])


if __name__ == "__main__":
    main()
