"""What a simulation looks like: regret as weeks go by, money against contacts, and who was told how much."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from measure import charts
from training.simulation.compare import BESIDE, LEARNING, ORACLE, Compared, Settings

Floats = NDArray[np.float64]


def plots(settings: Settings, compared: Sequence[Compared]) -> dict[str, charts.Plot]:
    """By the name of a file."""
    names = [name for name in (*LEARNING, *BESIDE) if name in compared[0].paths]
    size, over = settings.customers, f"{settings.seeds} worlds, {settings.customers:,} customers each"

    def weekly(name: str) -> Floats:
        return np.array([(one.paths[ORACLE].value - one.paths[name].value).cumsum() / size for one in compared])

    regret = charts.regret_curves(
        {name: weekly(name) for name in names if name != ORACLE},
        title="Regret against the oracle",
        subtitle=f"{over}; bands: 95%",
    )
    worth = charts.value_against_contacts(
        {
            name: (
                np.array([one.paths[name].contacts.sum() / size for one in compared]),
                np.array([one.paths[name].value.sum() / size for one in compared]),
            )
            for name in names
        },
        title="What a customer brings, and how often they are contacted",
        subtitle=f"{over}; bars: 95%",
    )
    quarters = charts.contacts_by_quarter(
        {name: np.array([_rates(one.paths[name].quartiles) for one in compared]) for name in names},
        title="Who is told something",
        subtitle=f"{over}; customers in quarters by the most that any message does for them",
    )
    return {"regret": regret, "value_against_contacts": worth, "who_was_reached": quarters}


def _rates(quartiles: Floats) -> Floats:
    return np.asarray(quartiles[:, 0] / np.maximum(1.0, quartiles[:, 1]))
