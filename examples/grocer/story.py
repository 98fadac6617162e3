"""The main job, told: from a year of purchases to timed messages over HTTP, and what outcomes and a complaint change."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from decisioning.errors import KairosError
from examples.grocer import base
from examples.grocer.calling import Answer, Server
from examples.grocer.changes import MOMENTS, Change, changes
from features.log import Log
from features.workspace import Workspace
from serving.clock import HeldClock

Progress = Callable[[str, float], None]
Stages = Callable[[str], Progress]

SALT = "corner-market"
"""Seeds the demo's draws and groups, so that each telling is the same."""

ASKED: tuple[tuple[str, str, Answer], ...] = (
    ("1029", "app_home", {}),  # an advocate, looking at the app
    ("1029", "email", {}),
    ("1045", "till_receipt", {}),  # a loyal household
    ("1045", "email", {}),
    ("551", "web", {}),  # comes now and then
    ("551", "email", {}),
    ("117", "app_home", {}),
    ("117", "mailer", {}),
    ("2332", "email", {}),  # stayed away for a while
    ("2332", "call_centre", {"intent": "question"}),
    ("1842", "mailer", {}),  # has not come for months
    ("60", "app_home", {}),  # new
    ("259", "app_home", {}),  # in the control group
    ("9", "call_centre", {"intent": "offers"}),
    ("visitor-1", "web", {}),  # nobody we know
)
"""Who is asked for where, with which context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the command line wires: how to open the workspace's log, and the server's application over it."""

    open_log: Callable[[Workspace], Log]
    application: Callable[[Workspace, Log, HeldClock, str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What happened in one telling. `prepared` holds the lines of the steps before the server started."""

    prepared: tuple[str, ...]
    decisions: tuple[Answer, ...]
    changes: tuple[Change, ...]

    def as_json(self) -> Answer:
        return {
            "decisions": list(self.decisions),
            "before_after": [
                {"before": one.before, "posted": one.posted, "after": one.after, "because": one.because} for one in self.changes
            ],
        }

    def show(self, console: Console) -> None:
        for line in self.prepared:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        console.print("\n[bold]Decisions, asked over HTTP[/bold]")
        for answer in self.decisions:
            console.print()
            for line in _block(answer):
                console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
        console.print("\n[bold]What was posted, and what the next decision made of it[/bold]")
        for change in self.changes:
            console.print()
            for label, told in (
                ("before", _one_line(change.before)),
                ("posted", _posted(change.posted)),
                ("after", _one_line(change.after)),
                ("because", change.because),
            ):
                console.print(f"  {label:>7}  {told}", highlight=False, markup=False, soft_wrap=True)


@contextmanager
def telling(workspace: Workspace, wiring: Wiring, *, bound: socket.socket, stage: Stages) -> Iterator[tuple[Told, Server]]:
    """Build what is missing, start the server, ask and post; inside the block the server goes on, its clock running."""
    # what only building needs is imported when it builds
    from features import offline
    from training import promote, train

    starts_at = workspace.brand.starts_at
    if starts_at is None:
        raise KairosError(f"{workspace.path / 'brand.yaml'}: clock: the demo needs starts_at, or each telling would differ")
    clock = HeldClock(starts_at)
    with base.alone(workspace):
        log, imported = base.fresh_log(workspace, lambda: wiring.open_log(workspace), stage("Import a year of history"))
        reports: list[Any] = [
            *([imported] if imported else []),
            offline.build(workspace, log, progress=stage("Build features")),
            train.train(workspace, log, now=clock.now(), progress=stage("Train models")),
            promote.promote(workspace, progress=stage("Promote models")),
            offline.materialize(workspace, log, progress=stage("Load the online store")),
        ]
        with Server(wiring.application(workspace, log, clock, SALT), bound) as server:
            decisions = tuple(_decisions(server, stage("Ask for decisions")))
            changed = tuple(_changes(server, clock, stage("Post and ask again")))
            clock.release()
            prepared = tuple(line for report in reports for line in report.lines())
            yield Told(prepared=prepared, decisions=decisions, changes=changed), server
        log.close()


def _decisions(server: Server, progress: Progress) -> Iterator[Answer]:
    for at, (customer, touchpoint, context) in enumerate(ASKED):
        progress(f"{customer} at {touchpoint}", at / len(ASKED))
        yield server.decide(
            {
                "decision_id": f"demo-{at + 1:02d}",
                "customer_id": customer,
                "touchpoint": touchpoint,
                "context": context,
            }
        )
    progress("asked", 1.0)


def _changes(server: Server, clock: HeldClock, progress: Progress) -> Iterator[Change]:
    for at, change in enumerate(changes(server, clock)):
        progress(change.because, at / len(MOMENTS))
        yield change
    progress("posted", 1.0)


def _block(answer: Answer) -> Iterator[str]:
    """One decision, for a person."""
    yield f"household {answer['customer_id']} ({answer['journey_stage'].replace('_', ' ')}) at {answer['touchpoint']}"
    for result in answer["results"]:
        message, terms = result["message"], result["terms"]
        yield f"    {result['action'] or result['kind']}: {_quoted(message)}"
        if result["wait"]:
            yield f"    wait until {result['wait']['until']}, because of {result['wait']['because']}"
        if terms:
            product = "P {p:.4f} x C {c:.2f} x V {v:.2f} x L {l:.2f}".format(**terms)
            yield f"    at {result['send_at']}: {result['timing']}"
            yield f"    {product} = {result['priority']:.4f}; assumed: {', '.join(terms['assumed']) or 'nothing'}"
        yield f"    {result['reason']}, with probability {result['probability']:.3f}"


def _quoted(message: Answer | None) -> str:
    return "nothing is said" if message is None else f'"{message["title"]}"'


def _one_line(answer: Answer) -> str:
    result = answer["results"][0]
    what = f"{result['action'] or result['kind']}: {_quoted(result['message'])}"
    return f"{answer['customer_id']} at {answer['touchpoint']}: {what} ({result['reason']})"


def _posted(posted: Answer) -> str:
    body = posted["body"]
    message = body["batch"][0] if "batch" in body else body
    said = next((message[key] for key in ("event", "outcome", "what") if key in message), "less like this")
    return f"{posted['method']} {posted['path']}: {said}"


def invite(server: Server, workspace: Workspace, console: Console) -> None:
    """Say what to open next, and stay until interrupted."""
    ask = '{"customer_id": "1029", "touchpoint": "app_home", "explain": "customer"}'
    from training.registry import tracking_uri

    console.print()
    for line in (
        f"The server is up, its clock at {server.ask('/health/live')['at']}. Open or run next:",
        f"  the API           {server.url}/docs",
        f"  one decision      curl -s {server.url}/v1/decisions -H 'Content-Type: application/json' -d '{ask}'",
        f"  the models' runs  .venv/bin/mlflow ui --backend-store-uri {tracking_uri(workspace.data)}",
        "Press Ctrl-C to stop.",
    ):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopped.")
