"""The main job, told: from a year of purchases to timed messages over HTTP, and what outcomes and a complaint change."""

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from rich.console import Console

from decisioning.errors import KairosError
from examples.grocer import base
from features.log import Log
from features.workspace import Workspace
from serving.clock import HeldClock

Answer = dict[str, Any]
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

REFUSED_BY, COMPLAINED_BY = "1935", "117"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What the command line wires: how to open the workspace's log, and the server's application over it."""

    open_log: Callable[[Workspace], Log]
    application: Callable[[Workspace, Log, HeldClock, str], Any]


class Server:
    """The real server, on a thread of this process, on a bound socket of 127.0.0.1."""

    def __init__(self, app: Any, bound: socket.socket) -> None:
        self._bound = bound
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [bound]}, daemon=True)

    def __enter__(self) -> "Server":
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise KairosError("the server did not start; its message is above")
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._bound.getsockname()[1]}"

    def ask(self, path: str, body: Answer | None = None) -> Answer:
        """GET, or POST where there is a body; an error answer is raised with its problem document."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)  # type: ignore[no-any-return]
        except urllib.error.HTTPError as error:
            raise KairosError(f"{path} answered {error.code}: {error.read().decode()}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One customer at one touchpoint before and after something was posted, and what made the difference."""

    before: Answer
    posted: Answer
    after: Answer
    because: str


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
            changes = tuple(_changes(server, stage("Post and ask again")))
            clock.release()
            prepared = tuple(line for report in reports for line in report.lines())
            yield Told(prepared=prepared, decisions=decisions, changes=changes), server
        log.close()


def _decisions(server: Server, progress: Progress) -> Iterator[Answer]:
    for at, (customer, touchpoint, context) in enumerate(ASKED):
        progress(f"{customer} at {touchpoint}", at / len(ASKED))
        yield _decide(server, f"demo-{at + 1:02d}", customer, touchpoint, context)
    progress("asked", 1.0)


def _decide(server: Server, decision_id: str, customer: str, touchpoint: str, context: Answer | None = None) -> Answer:
    ask = {"decision_id": decision_id, "customer_id": customer, "touchpoint": touchpoint, "context": context or {}}
    return server.ask("/v1/decisions", ask)


def _changes(server: Server, progress: Progress) -> Iterator[Change]:
    """A refusal, a complaint and its end: each moves the very next decision."""
    progress("a refusal, a complaint and its end", 0.0)
    refused, annoyed = REFUSED_BY, COMPLAINED_BY
    yield _change(server, "refusal", refused, "app_home", lambda before: _outcome("demo-refusal", before, "rejected"))
    yield _change(server, "complaint", annoyed, "app_home", lambda _: _event("demo-complaint", annoyed, "Complaint Opened"))
    yield _change(server, "closing", annoyed, "call_centre", lambda _: _event("demo-closing", annoyed, "Complaint Closed"))
    progress("posted", 1.0)


def _change(server: Server, name: str, customer: str, touchpoint: str, post: Callable[[Answer], tuple[str, Answer]]) -> Change:
    before = _decide(server, f"demo-{name}-before", customer, touchpoint)
    path, body = post(before)
    server.ask(path, body)
    after = _decide(server, f"demo-{name}-after", customer, touchpoint)
    return Change(before=before, posted={"path": path, "body": body}, after=after, because=_because(before, after))


def _outcome(message_id: str, decision: Answer, outcome: str) -> tuple[str, Answer]:
    return "/v1/outcomes", {"message_id": message_id, "decision_id": decision["decision_id"], "outcome": outcome}


def _event(message_id: str, customer: str, event: str) -> tuple[str, Answer]:
    properties = {"complaint_id": f"complaint-{customer}"}
    message = {"type": "track", "messageId": message_id, "userId": customer, "event": event, "properties": properties}
    return "/v1/events", {"batch": [message]}


def _because(before: Answer, after: Answer) -> str:
    """What the answers themselves say of the difference: rules that bind now and did not, and those that no longer do."""
    was, now = ({one["action"]: one for one in answer["rejected"]} for answer in (before, after))
    told = [
        *_grouped(
            "now ruled out", [one for action, one in now.items() if action not in was or was[action]["rule"] != one["rule"]]
        ),
        *_grouped("no longer ruled out", [one for action, one in was.items() if action not in now]),
        f"reason of the choice: {after['results'][0]['reason']}",
    ]
    return "; ".join(told)


def _grouped(what: str, rejected: list[Answer]) -> Iterator[str]:
    rules: dict[str, list[str]] = {}
    for one in rejected:
        rules.setdefault(f"{one['tier']}/{one['rule']}", []).append(one["action"])
    for rule, actions in rules.items():
        yield f"{what} by {rule}: {', '.join(actions)}"


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
    return f"{posted['path']}: {message.get('event') or message['outcome']}"


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
