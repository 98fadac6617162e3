"""In synthetic worlds whose truth is known Kairos beats what others do, leaves sleeping dogs alone and reaches persuadables."""

from tests.proofs.finding import Finding, found
from training.simulation.compare import KAIROS, ORACLE, PROPENSITY, SQUARECB, Settings, compared
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
    if report.beside[PROPENSITY].contacts.high >= 0:
        faults.append(f"contacts are not fewer than those of {PROPENSITY}")
    if kairos.alone.mean < LEAST:
        faults.append(f"sleeping dogs left alone: {kairos.alone.told('{:.0%}')}")
    if kairos.reached.mean < LEAST:
        faults.append(f"persuadables reached: {kairos.reached.told('{:.0%}')}")
    return faults


def _impossible(report: Simulation) -> list[str]:
    return [
        f"{name} earned more than the oracle" for name, one in report.policies.items() if one.regret.mean < 0 and name != ORACLE
    ]


def _counted(report: Simulation) -> dict[str, float | str]:
    counted: dict[str, float | str] = {}
    for name, one in report.policies.items():
        counted[f"{name}: regret a customer"] = one.regret.told("{:.2f}")
        counted[f"{name}: contacts a customer"] = one.contacts.told("{:.1f}")
    for name, less in report.beside.items():
        counted[f"Kairos less {name}: regret"] = less.regret.told("{:+.2f}")
    counted["sleeping dogs left alone"] = report.policies[KAIROS].alone.told("{:.3f}")
    counted["persuadables reached"] = report.policies[KAIROS].reached.told("{:.3f}")
    return counted
