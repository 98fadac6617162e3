"""Prove it at full size, print what was found, and keep it in benchmarks/proofs.json.

    python -m tests.proofs [--only rules ...] [--size whole] [--seed 20261122] [--out benchmarks]

Ends with 1 where a proof does not hold.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.proofs.every_proof import PROOFS, SEED

ROOT = Path(__file__).parents[2]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", action="append", choices=list(PROOFS), help="a proof; all of them by default")
    options.add_argument("--size", choices=("whole", "small"), default="whole")
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--out", type=Path, default=ROOT / "benchmarks")
    asked = options.parse_args()
    names = asked.only or list(PROOFS)
    found = prove(names, asked.size, asked.seed, asked.out)
    Console().print(_printed([found[name] for name in names]))
    return 0 if all(found[name]["holds"] for name in names) else 1


def prove(names: Sequence[str], size: str, seed: int, out: Path) -> dict[str, dict[str, Any]]:
    """Each proof in a process of its own, as many at a time as there are cores; kept as soon as one is done."""
    file = out / "proofs.json"
    kept: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    commit = _commit()
    with ProcessPoolExecutor() as workers:
        running = {workers.submit(_proved, name, size, seed): name for name in names}
        for done in as_completed(running):
            kept[running[done]] = {"commit": commit, **done.result()}
            ordered = {name: kept[name] for name in (*PROOFS, *kept) if name in kept}
            file.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    return kept


def _proved(name: str, size: str, seed: int) -> dict[str, Any]:
    proof, start = PROOFS[name], time.process_time()
    found = asdict(proof.check(proof.whole if size == "whole" else proof.small, seed))
    return {**found, "cpu_s": round(time.process_time() - start, 1)}


def _commit() -> str:
    """The commit that is proved, and whether something was changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", ":!benchmarks")
    return (git("rev-parse", "--short=12", "HEAD") or "no repository") + (" and changes" if changed else "")


def _printed(found: Sequence[dict[str, Any]]) -> Table:
    table = Table("proof", "size", "holds", "CPU s", "counted", "what broke it", show_lines=True)
    for one in found:
        counted = "\n".join(f"{name}: {_number(value)}" for name, value in one["counted"].items())
        holds = "yes" if one["holds"] else "NO"
        table.add_row(one["proof"], f"{one['size']:,}", holds, f"{one['cpu_s']:,}", counted, "\n".join(one["faults"]))
    return table


def _number(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count:,}" for name, count in sorted(value.items()))
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
