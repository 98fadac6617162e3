"""One command, one table: the models beside what a data scientist would try first, on public data.

    python -m benchmarks.models [--workspace examples/grocer] [--out benchmarks]

Complete Journey by the dates of the demo's models.yaml, the test period read once, and IBM's Telco churn in five folds. AUC and
calibration error (ten bins of equal count) with 95% intervals; beside each other side the difference of the two AUCs on the
same rows, its interval from a bootstrap over customers. Where windows were still open when the data end, the calibration error
of every side is of what could be known by then (`training.arrival`); AUCs are of the probabilities as predicted, and offers
whose window had closed have rows of their own. Kept as models.json and models.md.
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

from benchmarks import telco
from benchmarks.models_sides import Floats, Labels, Matrix, defaults, logistic
from benchmarks.models_table import Beside, Row, page, printed
from features.calibration import Calibration
from features.rows import RowSpec
from features.workspace import Workspace
from measure.curves import perfect_error, reliability
from training import dataset, labels
from training.dataset import Dataset
from training.evaluate import auc, auc_gained, by_group, evaluate
from training.learn import learn
from training.models import sigmoid
from training.settings import FILE, Churn, Models, Preference

RFM = ("since_order", "orders_90d", "spend_90d")
"""Recency, frequency, money."""
NEAR = 0.015
"""How far below what others reached on the same split an AUC may be."""


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
    that an offer is taken, which decisions read, and of the chance that any of a household's in a campaign is; and as many of
    offers whose window had closed when the data end.
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
    assert data.known_share is not None
    over = data.known_share[test]
    offers = _Offers(
        labels=truth,
        said=said,
        known=fitted.arrival.known(over),
        customers=who,
        groups=[data.groups[int(row)] for row in np.flatnonzero(test)],
        together=fitted.together,
    )
    to_reach = settings.references["group_auc"].value - NEAR
    return [*_offer_rows(offers, "", to_reach), *_offer_rows(offers.of(over >= 1), ", windows closed", to_reach)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offers:
    """Offers of the test, n each: what became of them, what each side said, and which share of their successes is known."""

    labels: Labels
    said: Mapping[str, Floats]
    known: Floats
    customers: list[str]
    groups: list[str]
    together: Calibration | None

    def of(self, among: NDArray[np.bool_]) -> "_Offers":
        kept = np.flatnonzero(among)
        return replace(
            self,
            labels=self.labels[kept],
            said={side: probabilities[kept] for side, probabilities in self.said.items()},
            known=self.known[kept],
            customers=[self.customers[int(row)] for row in kept],
            groups=[self.groups[int(row)] for row in kept],
        )


def _offer_rows(offers: _Offers, which: str, to_reach: float) -> list[Row]:
    """By offer, and by household and campaign: there the others' offers count as independent, as they would be added up."""
    subject = f"Complete Journey, an offer redeemed{which}"
    by_offer = compared(
        subject,
        offers.labels,
        offers.said,
        customers=offers.customers,
        to_reach=None,
        known=dict.fromkeys(offers.said, offers.known),
    )
    grouped = {
        side: by_group(
            offers.labels,
            probabilities,
            customers=offers.customers,
            groups=offers.groups,
            known=offers.known,
            together=offers.together if side == "kairos" else None,
        )
        for side, probabilities in offers.said.items()
    }
    return [
        by_offer,
        compared(
            f"Complete Journey, redemption in a campaign{which}",
            grouped["kairos"].labels,
            {side: one.probabilities for side, one in grouped.items()},
            customers=grouped["kairos"].customers,
            to_reach=to_reach,
            known={side: one.known for side, one in grouped.items()},
        ),
    ]


def telco_row(found: telco.Predicted) -> Row:
    """AUC within each fold would hide how folds differ; this one is over all customers, each predicted once."""
    said = {"kairos": found.kairos, "logistic": found.logistic, "LightGBM defaults": found.defaults}
    who = [str(row) for row in range(len(found.labels))]
    return compared("IBM Telco, 5 folds", found.labels, said, customers=who, to_reach=0.845)


def compared(
    subject: str,
    truth: Labels,
    said: Mapping[str, Floats],
    *,
    customers: Sequence[str],
    to_reach: float | None,
    known: Mapping[str, Floats] | None = None,
) -> Row:
    """Kairos beside each other side. `known` is the share of the successes to come that is known, by side."""
    so_far = said if known is None else {side: one * known[side] for side, one in said.items()}
    ours = said["kairos"]
    found = evaluate(truth, ours, customers=customers, known=None if known is None else known["kairos"])
    return Row(
        subject=subject,
        rows=len(truth),
        positives=int(truth.sum()),
        auc=found["auc"],
        to_reach=to_reach,
        calibration_error=found["calibration_error"],
        chance_error=perfect_error(so_far["kairos"]),
        gap=float((so_far["kairos"] - truth).mean()),
        even_error=reliability(truth, evened(so_far["kairos"], float(truth.mean()))).error,
        beside=tuple(
            Beside(
                name=name,
                auc=auc(truth, other),
                gained=auc_gained(truth, ours, other, customers=customers),
                calibration_error=reliability(truth, so_far[name]).error,
            )
            for name, other in said.items()
            if name != "kairos"
        ),
    )


def evened(probabilities: Floats, mean: float) -> Floats:
    """With one number added to all log odds, so that they average `mean` (in (0, 1)): found by halving, to 1e-12 or so."""
    kept = np.clip(probabilities, 1e-12, 1 - 1e-12)
    log_odds = np.log(kept) - np.log1p(-kept)
    low, high = -20.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if sigmoid(log_odds + middle).mean() < mean else (low, middle)
    return sigmoid(log_odds + low)


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
