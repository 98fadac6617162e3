"""What a simulation found of each policy: what it earned, whom it left alone and whom it reached, with intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from measure.curves import mean_bounds
from training.simulation.compare import BESIDE, KAIROS, LEARNING, ORACLE, SQUARECB, Compared, Settings
from training.simulation.run import PERIOD, Path
from training.simulation.squarecb import INSTALL

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over worlds and its 95% interval: percentiles of the means of worlds drawn again with replacement."""

    mean: float
    low: float
    high: float

    def told(self, form: str) -> str:
        """In words, each number in a `form` such as '{:.1f}'."""
        return f"{form.format(self.mean)} [{form.format(self.low)}, {form.format(self.high)}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One policy. Money, contacts and complaints are per customer over the whole time, the rest are shares.

    `alone` and `reached` are of moments (see `run.Path`), over all worlds that have such; `..._later` those of the second half,
    `..._own` those of customers for whom nothing is left to a random group. `reach` is of customers, by periods of some weeks,
    `attained` of the money in reaching persuadables. `regret` is what the oracle earned more.
    """

    value: Estimate
    regret: Estimate
    contacts: Estimate
    complaints: Estimate
    left: Estimate
    alone: Estimate
    alone_later: Estimate
    reached: Estimate
    reached_later: Estimate
    reach: Estimate
    reach_later: Estimate
    attained: Estimate
    attained_later: Estimate
    alone_own: Estimate
    reached_own: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Kairos less another policy, world by world: money and contacts per customer. `regret` below 0 speaks for Kairos."""

    regret: Estimate
    value: Estimate
    contacts: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """`kinds` holds the mean regret per customer by kind of world and policy; `worlds` every world with what came of it."""

    settings: Settings
    policies: Mapping[str, Measured]
    beside: Mapping[str, Beside]
    kinds: Mapping[str, Mapping[str, float]]
    worlds: Sequence[Mapping[str, object]]

    def lines(self) -> list[str]:
        """For a person: a table of the policies, what Kairos brings beside each, and where it hurts."""
        one, columns, shares = self.settings, (18, 20, 24, 23, 22, 18), (18, 24, 24, 24, 24)
        told = [
            f"{one.seeds} worlds, {one.customers:,} customers, {one.weeks} weeks. Means over worlds with 95% intervals; money,",
            "contacts and complaints a customer; in brackets the second half alone.",
            "",
            _row(columns, "", "contacts", "value", "regret", "complaints", "left"),
        ]
        for name, found in self.policies.items():
            told.append(
                _row(
                    columns,
                    name,
                    found.contacts.told("{:.1f}"),
                    found.value.told("{:.1f}"),
                    found.regret.told("{:.1f}"),
                    found.complaints.told("{:.2f}"),
                    found.left.told("{:.0%}"),
                )
            )
        told += [
            "",
            "Sleeping dogs left alone, and persuadables reached, of moments; of persuadable customers those reached at least",
            f"once in {PERIOD} weeks; and the share earned of the money in reaching persuadables.",
            _row(shares, "", "dogs alone", "reached", f"once in {PERIOD} weeks", "money"),
        ]
        for name, found in self.policies.items():
            both = (
                (found.alone, found.alone_later),
                (found.reached, found.reached_later),
                (found.reach, found.reach_later),
                (found.attained, found.attained_later),
            )
            told.append(_row(shares, name, *(f"{all_.told('{:.0%}')} ({later.mean:.0%})" for all_, later in both)))
        told.append("")
        for name, less in self.beside.items():
            told.append(f"Kairos less {name}: regret {less.regret.told('{:+.2f}')}, contacts {less.contacts.told('{:+.2f}')}")
        names = list(next(iter(self.kinds.values())))
        widths = [18, *(max(9, len(name) + 2) for name in names)]
        told += ["", "Mean regret by kind of world", _row(widths, "", *names)]
        told += [_row(widths, kind, *(f"{found[name]:.1f}" for name in names)) for kind, found in self.kinds.items()]
        if SQUARECB not in self.policies:
            told += ["", f"Vowpal Wabbit is not installed, so its row is absent: {INSTALL}"]
        return told


def simulation(settings: Settings, compared: Sequence[Compared]) -> Simulation:
    """Put the worlds together. One world has no interval: its bounds are its mean."""
    names = [name for name in (*LEARNING, *BESIDE) if name in compared[0].paths]
    size = settings.customers

    def over(measure: Callable[[Compared, str], float], name: str) -> Estimate:
        return estimate(np.array([measure(one, name) for one in compared]))

    def regret(one: Compared, name: str) -> float:
        return float(one.paths[ORACLE].value.sum() - one.paths[name].value.sum()) / size

    def contacts(one: Compared, name: str) -> float:
        return float(one.paths[name].contacts.sum()) / size

    paths = {name: [one.paths[name] for one in compared] for name in names}
    measured = {
        name: Measured(
            value=over(lambda one, who: float(one.paths[who].value.sum()) / size, name),
            regret=over(regret, name),
            contacts=over(contacts, name),
            complaints=over(lambda one, who: float(one.paths[who].complaints.sum()) / size, name),
            left=over(lambda one, who: float(one.paths[who].left[-1]) / size, name),
            alone=_share(paths[name], "alone", "dogs"),
            alone_later=_share(paths[name], "alone", "dogs", later=True),
            reached=_share(paths[name], "reached", "persuadables"),
            reached_later=_share(paths[name], "reached", "persuadables", later=True),
            reach=_share(paths[name], "met", "audience"),
            reach_later=_share(paths[name], "met", "audience", later=True),
            attained=_share(paths[name], "attained", "attainable"),
            attained_later=_share(paths[name], "attained", "attainable", later=True),
            alone_own=_share(paths[name], "alone_own", "dogs_own"),
            reached_own=_share(paths[name], "reached_own", "persuadables_own"),
        )
        for name in names
    }
    beside = {
        name: Beside(
            regret=over(lambda one, who: regret(one, KAIROS) - regret(one, who), name),
            value=over(lambda one, who: regret(one, who) - regret(one, KAIROS), name),
            contacts=over(lambda one, who: contacts(one, KAIROS) - contacts(one, who), name),
        )
        for name in names
        if name not in (KAIROS, ORACLE)
    }
    kinds = {
        kind: {name: float(np.mean([regret(one, name) for one in compared if one.world.kind == kind])) for name in names}
        for kind in dict.fromkeys(one.world.kind for one in compared)
    }
    return Simulation(
        settings=settings, policies=measured, beside=beside, kinds=kinds, worlds=[_as_record(one, names) for one in compared]
    )


def estimate(numbers: Floats) -> Estimate:
    """Of one number a world (n,)."""
    low, high = mean_bounds(numbers[:, None])
    return Estimate(mean=float(numbers.mean()), low=float(low[0]), high=float(high[0]))


def _share(paths: Sequence[Path], part: str, whole: str, *, later: bool = False) -> Estimate:
    """The share in each world that has any such moment; their mean. NaN where no world has."""
    begins = len(getattr(paths[0], whole)) // 2 if later else 0
    wholes = np.array([getattr(one, whole)[begins:].sum() for one in paths])
    parts = np.array([getattr(one, part)[begins:].sum() for one in paths])
    some = wholes > 0
    return estimate(parts[some] / wholes[some]) if some.any() else Estimate(mean=np.nan, low=np.nan, high=np.nan)


def _as_record(one: Compared, names: Sequence[str]) -> dict[str, object]:
    return {
        "world": asdict(one.world),
        "oracle_price": one.price,
        "best_static": one.static,
        "squarecb": one.setting,
        "paths": {name: {key: np.round(found, 3).tolist() for key, found in asdict(one.paths[name]).items()} for name in names},
    }


def _row(widths: Sequence[int], name: str, *cells: str) -> str:
    return name.ljust(widths[0]) + "".join("  " + cell.rjust(width - 2) for cell, width in zip(cells, widths[1:], strict=True))
