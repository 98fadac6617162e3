"""`kairos simulate`: worlds with known truth, policies side by side in them, and what came of it."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from training.simulation.compare import Settings, compared
from training.simulation.plots import plots
from training.simulation.report import Simulation, simulation

__all__ = ["Settings", "simulate"]


def simulate(
    settings: Settings, *, out: Path | None = None, progress: Callable[[str, float], None] = lambda doing, share: None
) -> Simulation:
    """Runs it all; with `out`, writes the plots (PNG, and Vega-Lite beside each) and simulation.json there."""
    worlds = compared(settings, progress)
    report = simulation(settings, worlds)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, plot in plots(settings, worlds).items():
            (out / f"{name}.png").write_bytes(plot.png())
            (out / f"{name}.vl.json").write_text(plot.vega_lite, encoding="utf-8")
        (out / "simulation.json").write_text(json.dumps(asdict(report), indent=1) + "\n", encoding="utf-8")
    return report
