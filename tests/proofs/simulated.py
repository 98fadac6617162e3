"""In synthetic worlds whose truth is known Kairos beats what others do, leaves sleeping dogs alone and reaches persuadables.

Who is reached is counted of customers, as media planning counts reach: each who was persuadable in four weeks and was met at
such a moment at least once; caps and fatigue let nobody be spoken to at every moment at which it would pay. Sleeping dogs are
counted the strict way, by every moment at which one could have been disturbed.
"""

from tests.proofs.finding import Finding, found
from training.simulation.compare import INFORMED, KAIROS, ORACLE, PROPENSITY, SQUARECB, Settings, compared
from training.simulation.report import Simulation, simulation

WHOLE = 20
"""Worlds from which on the numbers are judged; fewer, of a few weeks, only show that it goes."""
LEAST = 0.8


def beats_in_simulation(size: int, seed: int) -> Finding:
    """So many worlds from a seed on: each kind that hurts among them, half of them usual."""
    whole = size >= WHOLE
    settings = Settings(seeds=size, first_seed=seed) if whole else Settings(seeds=size, first_seed=seed, customers=40, weeks=4)
    report = simulation(settings, compared(settings))
    faults = _shortfalls(report) if whole else _impossible(report)
    return found("policies in simulation", size=size, seed=seed, counted=_counted(report), faults=faults)


def _shortfalls(report: Simulation) -> list[str]:
    """What is promised and was not seen: differences by their 95% interval, shares by their mean."""
    kairos, faults = report.policies[KAIROS], []
    for name in (SQUARECB, PROPENSITY):
        if report.beside[name].regret.high >= 0:
            faults.append(f"regret is not below that of {name}: {report.beside[name].regret.told('{:+.2f}')}")
    if report.beside[PROPENSITY].value.low <= 0:
        faults.append(f"value is not above that of {PROPENSITY}")
    if report.beside[PROPENSITY].contacts.high >= 0:
        faults.append(f"contacts are not fewer than those of {PROPENSITY}")
    if kairos.alone.mean < LEAST:
        faults.append(f"sleeping dogs left alone: {kairos.alone.told('{:.0%}')}")
    if kairos.reach.mean < LEAST:
        faults.append(f"persuadables reached: {kairos.reach.told('{:.0%}')}")
    return faults


def _impossible(report: Simulation) -> list[str]:
    """The oracle looks no further than the moment: who knows nearly as much may earn a little more, who must learn may not."""
    return [
        f"{name} earned more than the oracle"
        for name, one in report.policies.items()
        if one.regret.mean < 0 and name not in (ORACLE, INFORMED)
    ]


def _counted(report: Simulation) -> dict[str, float | str]:
    counted: dict[str, float | str] = {}
    for name, one in report.policies.items():
        counted[f"{name}: regret a customer"] = one.regret.told("{:.2f}")
        counted[f"{name}: contacts a customer"] = one.contacts.told("{:.1f}")
    for name, less in report.beside.items():
        counted[f"Kairos less {name}: regret"] = less.regret.told("{:+.2f}")
    for name in (KAIROS, INFORMED):
        one = report.policies[name]
        shares = {
            "sleeping dogs left alone": one.alone,
            "the same in the second half": one.alone_later,
            "the same outside the random group": one.alone_own,
            "persuadables reached at least once in four weeks": one.reach,
            "the same in the second half of the time": one.reach_later,
            "money in persuadables earned": one.attained,
            "money earned in the second half": one.attained_later,
            "moments of persuadables used": one.reached,
            "moments used in the second half": one.reached_later,
            "moments used outside the random group": one.reached_own,
        }
        counted |= {f"{name}: {what}": share.told("{:.3f}") for what, share in shares.items()}
    return counted
