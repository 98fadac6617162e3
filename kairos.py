"""The command line: one verb, one call into one room. The only place where the parts are wired together."""

import gc
import json
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console

from decisioning.errors import KairosError
from features.differences import Comparison, differences
from features.log import Log
from features.playbook import Playbook
from features.published import Publications, Published, last_published, publish, published
from features.workspace import Workspace, any_log, differing, in_force, open_log
from serving.clock import engine_clock
from serving.terminal import show, stages

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Kairos: the right message at the right moment.")
features_app = typer.Typer(no_args_is_help=True, help="Build and load the feature store.")
app.add_typer(features_app, name="features")
catalog_app = typer.Typer(no_args_is_help=True, help="Compare and publish what the workspace's files say.")
app.add_typer(catalog_app, name="catalog")
export_app = typer.Typer(no_args_is_help=True, help="Write what the log holds in the forms that others read.")
app.add_typer(export_app, name="export")

WorkspacePath = Annotated[
    Path, typer.Option("--workspace", "-w", envvar="KAIROS_WORKSPACE", help="The brand's folder.", show_default="this folder")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")]

_err = Console(stderr=True)


@app.command()
def demo(
    workspace: Annotated[Path, typer.Option("--workspace", "-w")] = Path(__file__).parent / "examples" / "grocer",
    once: Annotated[bool, typer.Option("--once", help="End after the decisions instead of leaving the server up.")] = False,
    port: Annotated[int | None, typer.Option(help="Where the server listens, on 127.0.0.1; 8000, or any with --once.")] = None,
    as_json: AsJson = False,
) -> None:
    """The main job on real purchases: import, features, models, decisions over HTTP, outcomes, and what they change."""
    try:
        from examples.grocer import story
    except ModuleNotFoundError as error:
        if error.name not in ("examples", "examples.grocer"):
            raise KairosError(f"the demo needs the package {error.name!r}; run it from a checkout with 'make demo'") from error
        raise KairosError("the demo runs from a checkout of the project, not from an installed package") from error
    wiring = story.Wiring(
        open_log=open_log, application=lambda place, log, clock, salt: application(place, log, clock, salt=salt)
    )
    # the demo is embedded: it replaces the log of its workspace on each run, and must not touch another one
    os.environ.pop("KAIROS_LOG_URL", None)
    with ExitStack() as stack:
        bound = stack.enter_context(listen(port if port is not None else 0 if once else 8000))
        with stages(_err) as stage:
            telling = story.telling(Workspace.load(workspace), wiring, bound=bound, stage=stage)
            told, server = stack.enter_context(telling)
        if as_json:
            print(json.dumps(told.as_json(), indent=2), flush=True)
        else:
            told.show(Console())
        if not once:
            story.invite(server, Workspace.load(workspace), _err)


@app.command()
def ingest(
    files: Annotated[
        list[Path], typer.Argument(help="Segment messages (.ndjson, .jsonl), or .csv, .tsv, .parquet by a mapping.")
    ],
    mapping: Annotated[str | None, typer.Option(help="The mapping of the workspace's ingest.yaml for tables.")] = None,
    workspace: WorkspacePath = Path(),
    as_json: AsJson = False,
) -> None:
    """Take files of events into the log. Bad rows go to a quarantine file with the reason; a second run adds nothing."""
    from features import ingest as taking_in

    place = Workspace.load(workspace)
    log = open_log(place)
    now = now_of(place, log)
    with stages(_err) as stage:
        report = taking_in.ingest(place, log, files, now=now, mapping=mapping, progress=stage("Ingest"))
    show(report, as_json)


@features_app.command("build")
def features_build(
    workspace: WorkspacePath = Path(),
    as_json: AsJson = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Use the build even where it breaks a bound of profile.yaml.")
    ] = False,
) -> None:
    """Fold the log into point-in-time tables, joined with third-party files, and register them with Feast."""
    from features import offline

    place = Workspace.load(workspace)
    with stages(_err) as stage:
        report = offline.build(place, open_log(place), progress=stage("Build features"), accept=accept)
    show(report, as_json)


@features_app.command("materialize")
def features_materialize(workspace: WorkspacePath = Path(), as_json: AsJson = False) -> None:
    """Load the newest profile of every customer into the online store."""
    from features import offline

    place = Workspace.load(workspace)
    with stages(_err) as stage:
        report = offline.materialize(place, open_log(place), progress=stage("Load the online store"))
    show(report, as_json)


@app.command()
def train(
    models: Annotated[list[str] | None, typer.Argument(help="Names of models.yaml, or all, as without a name.")] = None,
    workspace: WorkspacePath = Path(),
    as_json: AsJson = False,
) -> None:
    """Train models of models.yaml on the feature store's frames, track them in MLflow and register them as challengers."""
    # a fault in the files is told before what takes long to import
    place = Workspace.load(workspace)
    from training import train as training
    from training.alone import TRAINING, alone

    with alone(place.data / TRAINING, "kairos train"), stages(_err) as stage, closing(open_log(place)) as log:
        now = now_of(place, log)
        report = training.train(place, log, now=now, names=models or (), progress=stage("Train models"))
    show(report, as_json)


@app.command()
def evaluate(
    name: Annotated[str, typer.Argument(help="A model of models.yaml, or all.")] = "all",
    workspace: WorkspacePath = Path(),
    as_json: AsJson = False,
) -> None:
    """Score champion and challenger on the newest test that is over: metrics, slices, fairness, gates. Promotes nothing."""
    from training.evaluate_versions import evaluate_versions

    place = Workspace.load(workspace)
    with closing(open_log(place)) as log, stages(_err) as stage:
        now = now_of(place, log)
        report = evaluate_versions(place, log, name, now=now, progress=stage("Evaluate models"))
    show(report, as_json)


@app.command()
def promote(workspace: WorkspacePath = Path(), as_json: AsJson = False) -> None:
    """Check the newest models against their gates; where all hold, make them the champions that servers answer with."""
    from training import promote as promotion

    place = Workspace.load(workspace)
    with stages(_err) as stage:
        report = promotion.promote(place, progress=stage("Promote models"))
    show(report, as_json)


@app.command()
def rollback(
    to: Annotated[str | None, typer.Option(help="The hash of a promoted bundle; the one promoted before unless told.")] = None,
    workspace: WorkspacePath = Path(),
    as_json: AsJson = False,
) -> None:
    """Answer again with the bundle that was promoted before: running servers within seconds, the champions in MLflow too."""
    from training import rollback as going_back

    place = Workspace.load(workspace)
    with stages(_err) as stage:
        report = going_back.rollback(place, to=to, progress=stage("Roll back"))
    show(report, as_json)


@app.command()
def retrain(workspace: WorkspacePath = Path(), as_json: AsJson = False) -> None:
    """Train all models on the last feature build, check the gates and promote, for a cron or an orchestrator.

    Exit code 0: promoted, or there was nothing new. 2: a gate refused. 3: another training runs in the workspace. 4: data,
    files or MLflow failed. Whenever nothing is promoted the champions stay, and the report says why.
    """
    try:
        from training import retrain as again
    except ModuleNotFoundError as error:
        _fail(_not_installed(error), code=4)

    def opened(place: Workspace) -> tuple[Log, datetime]:
        log = open_log(place)
        return log, now_of(place, log)

    with stages(_err) as stage:
        report = again.retrain(workspace, opened, progress=stage("Retrain"))
    show(report, as_json)
    raise typer.Exit(report.exit_code)


@app.command()
def simulate(
    seeds: Annotated[int, typer.Option(help="How many worlds.")] = 20,
    customers: Annotated[int, typer.Option(help="Customers of each.")] = 1_000,
    weeks: int = 26,
    kind: Annotated[str | None, typer.Option(help="One kind of worlds only, such as 'heavy fatigue'.")] = None,
    workers: Annotated[int, typer.Option(help="Processes, each with a world of its own.")] = 2,
    out: Annotated[Path | None, typer.Option(help="A folder for the plots, and for all numbers as JSON.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare Kairos with other policies in synthetic worlds whose truth is known: regret, contacts, whom each reaches."""
    from training.simulation.simulate import Settings, simulate

    asked = Settings(seeds=seeds, customers=customers, weeks=weeks, kind=kind, workers=workers)
    with stages(_err) as stage:
        report = simulate(asked, out=out, progress=stage("Simulate"))
    show(report, as_json)


@app.command()
def serve(
    workspace: WorkspacePath = Path(),
    port: Annotated[int, typer.Option(help="Where to listen, on 127.0.0.1.")] = 8000,
) -> None:
    """Serve decisions on 127.0.0.1. The first start publishes the workspace's catalog; no key is needed on this machine."""
    import uvicorn

    # what is published answers, whatever the files have come to be since
    place = Workspace(workspace)
    with listen(port) as bound:
        log = open_log(place)
        app = application(place, log, engine_clock(in_force(place, log).brand, log))
        _err.print(f"Kairos listens on http://127.0.0.1:{port}", highlight=False)
        # a request does not wait while profiles follow a long way: for its turn 0.5 ms instead of 5 ms, and never for a
        # collection of all that was loaded to stay
        sys.setswitchinterval(0.0005)
        gc.freeze()
        uvicorn.Server(uvicorn.Config(app, log_level="info")).run(sockets=[bound])


@catalog_app.command("diff")
def catalog_diff(workspace: WorkspacePath = Path(), as_json: AsJson = False) -> None:
    """What publishing the workspace's files would change: actions, words, rules and all else, one line a change."""
    place = Workspace.load(workspace)
    playbook = place.playbook
    with closing(any_log(place)) as log:
        last = log.latest("catalog")
    show(
        Comparison(
            published=None if last is None else last.body["version"],
            workspace=playbook.version,
            differences=() if last is None else tuple(differences(last.body["files"], playbook.texts)),
        ),
        as_json,
    )


@catalog_app.command("publish")
def catalog_publish(
    workspace: WorkspacePath = Path(),
    by: Annotated[str | None, typer.Option(help="Who publishes it.")] = None,
    why: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the workspace's files as one version, kept in the log. Servers that run take it up within seconds."""
    place = Workspace.load(workspace)
    with closing(any_log(place)) as log:
        show(publish(place.playbook, log, now=engine_clock(place.brand, log).now(), by=by, why=why), as_json)


@app.command()
def lift(
    workspace: WorkspacePath = Path(),
    event: Annotated[str, typer.Option(help="The event that customers are to do more of, and that churn is the lack of.")] = (
        "Order Completed"
    ),
    value: Annotated[str, typer.Option(help="The event's property that holds what it is worth.")] = "total",
    margin: Annotated[float, typer.Option(help="The share of that which is margin.")] = 1.0,
    days: Annotated[int, typer.Option(min=1, help="The time of every customer, from their first decision on.")] = 28,
    since: Annotated[datetime | None, typer.Option(help="The first day, in UTC; the log's first unless told.")] = None,
    by: Annotated[list[str] | None, typer.Option(help="A label of the profile to split by; may be repeated.")] = None,
    decisions: Annotated[int, typer.Option(min=0, help="How many decisions are made again to measure levers.")] = 2_000,
    as_json: AsJson = False,
) -> None:
    """What deciding is worth, from the live log: treatment beside control, with intervals, and what each lever costs."""
    from features.levers import replay_levers
    from features.trial import read_trial
    from features.trial_metrics import Asked
    from measure.lift import report

    place = Workspace.load(workspace)
    with closing(open_log(place)) as log, stages(_err) as stage:
        playbook = in_force(place, log)
        now = engine_clock(playbook.brand, log).now()
        horizon, start = timedelta(days=days), None if since is None else since.replace(tzinfo=UTC)
        asked = Asked(event=event, value=value, margin=margin, horizon=horizon, signals=playbook.brand.signals)
        trial = read_trial(log, playbook, asked, now=now, since=start, by=by or (), progress=stage("Read the trial"))
        again = replay_levers(log, Published(log), now=now, most=decisions, progress=stage("Measure levers"))
    show(report(trial, again, until=now, days=days), as_json)


@app.command()
def drift(
    workspace: WorkspacePath = Path(),
    since: Annotated[str, typer.Option(help="The recent period: a date in UTC, or a time back from now such as 30d.")] = "30d",
    against: Annotated[
        str | None,
        typer.Option(help="What to compare with, 2026-01-01..2026-02-01; unless told, what the champion learned from."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the report as one HTML page, plots and all.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 5 where the models should be trained again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do the models still fit? Drift of what they read and say, what came of it, what nothing covers; the worst first.

    Exit codes: 0 whatever was found, 2 for a fault such as too few decisions, and with --check 5 for the verdict retrain.
    """
    from features.exports.whole import write_whole
    from features.times_asked import asked_since, asked_span
    from features.watched import watch
    from measure.drift import report

    place = Workspace.load(workspace)
    with closing(open_log(place)) as log, stages(_err) as stage:
        playbook = in_force(place, log)
        now, span = engine_clock(playbook.brand, log).now(), asked_span(against) if against else None
        start, progress = asked_since(since, now), stage("Look for drift")
        models = place.data / "models"
        watching = watch(log, playbook, Published(log), models, now=now, since=start, against=span, progress=progress)
    told = report(watching)
    if out is not None:
        from measure.drift_page import page

        write_whole(out, page(told).encode())
    show(told, as_json)
    if check and told.verdict == "retrain":
        raise typer.Exit(5)


@export_app.command("log")
def export_log(
    out: Annotated[Path, typer.Option(help="The file: .csv, .ndjson or .parquet for pega, .json for dsjson, .npz for obp.")],
    form: Annotated[
        Literal["pega", "dsjson", "obp"], typer.Option("--format", help="Pega, Vowpal Wabbit, Open Bandit Pipeline.")
    ],
    workspace: WorkspacePath = Path(),
    ids: Annotated[bool, typer.Option("--ids", help="Keep the ids of customers and decisions instead of pseudonyms.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the live decisions with their probabilities and outcomes, for Pega's pdstools, VW or Open Bandit Pipeline."""
    from features.exports import export

    place = Workspace.load(workspace)
    with closing(open_log(place)) as log, stages(_err) as stage:
        playbook = in_force(place, log)
        now = engine_clock(playbook.brand, log).now()
        progress = stage("Export the log")
        report = export.export_log(log, playbook, out, form=form, keep_ids=ids, now=now, progress=progress)
    show(report, as_json)


@app.command("bandit-eval")
def bandit_eval(
    file: Annotated[Path, typer.Argument(help="The table of a campaign (.csv, .tsv, .parquet), a row a choice.")],
    action: Annotated[str, typer.Option(help="The column that says what was chosen.")],
    reward: Annotated[str, typer.Option(help="The column that says what came of it, a number.")],
    propensity: Annotated[str, typer.Option(help="The probability of what was chosen: a column, or a number for all rows.")],
    drop: Annotated[list[str] | None, typer.Option(help="A column that nobody knew when choosing; repeatable.")] = None,
    holdout: Annotated[float, typer.Option(help="The share of rows to evaluate on; the others teach.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Draws the rows held out.")] = 7,
    as_json: AsJson = False,
) -> None:
    """What would each policy have earned: one arm for all, a learned one, or the recommended one, on rows held out."""
    from features.campaign_files import read_campaign
    from training.campaigns import evaluate_campaign

    table = read_campaign(file, action=action, reward=reward, propensity=propensity, drop=drop or ())
    show(evaluate_campaign(table, holdout=holdout, seed=seed), as_json)


@app.command("verify-log")
def verify_log(workspace: WorkspacePath = Path(), as_json: AsJson = False) -> None:
    """Check that the log is whole: its hash chains, its keys, and the state kept from it. Exit code 1 where it is broken."""
    with closing(open_log(Workspace(workspace))) as log:
        verdict = log.verify()
    show(verdict, as_json)
    if not verdict.whole:
        raise typer.Exit(1)


@app.command()
def erase(
    customer: Annotated[str, typer.Argument(help="Any id of the customer ('anonymous:' before an anonymousId).")],
    workspace: WorkspacePath = Path(),
    as_json: AsJson = False,
) -> None:
    """Erase a customer: destroy the key of their records, delete state, offers and profiles. The chain still verifies."""
    place = Workspace(workspace)
    log = open_log(place)
    book = in_force(place, log)
    store, projector = profiles_of(place, log, book)
    erasure = erasing(place, log, store, projector)(customer, engine_clock(book.brand, log).now())
    store.close()
    if erasure is None:
        raise KairosError(f"nothing is kept of a customer {customer!r}; customers are named by the id their records bear")
    show(erasure, as_json)


# ------------------------------------------------------------------------------------------------------------------ wiring


def now_of(workspace: Workspace, log: Log) -> datetime:
    """The engine's time, by the brand that is published."""
    return engine_clock(in_force(workspace, log).brand, log).now()


def application(workspace: Workspace, log: Log, clock: Any, *, salt: str | None = None) -> Any:
    """The server's application over the real ports of a workspace; it goes on with what is published while it runs."""
    from features.following import Follower
    from features.hearing import CurrentReading, Hearing
    from serving.app import create_app
    from serving.editions import taken_up
    from serving.learning import CurrentLearner
    from serving.ports import Ports
    from serving.profiles import PackedProfiles
    from serving.scoring.current import CurrentModels
    from serving.settings import Settings

    publications = Publications(log)
    playbook = last_published(log) or published(workspace.playbook, log, clock.now())
    store, projector = profiles_of(workspace, log, playbook)
    profiles = PackedProfiles(store, Follower(log, store, projector, now=clock.now))
    learner, past, reading = CurrentLearner(log), Published(log), CurrentReading(workspace.data / "models")

    def edition(book: Playbook) -> Ports:
        return Ports(
            clock=clock,
            log=log,
            profiles=profiles,
            models=CurrentModels(workspace.data / "models", book.catalog, book.profile.index),
            playbook=book,
            rulebook=book.compiled(),
            rulebook_of=past,
            learner=learner,
            erase=erasing(workspace, log, store, projector),
            hear=Hearing(book.brand.words, reading),
            newer_catalog=lambda: differing(workspace, book.version),
        )

    settings = Settings(salt=log.set_once("salt", salt or token_hex(16)))
    return create_app(settings, edition(playbook), newer=taken_up(publications.newest, edition))


def profiles_of(workspace: Workspace, log: Log, playbook: Playbook) -> tuple[Any, Any]:
    """The online store of a workspace, and the projector that folds its log into it."""
    from features.projector import Projector
    from features.stores import open_store

    store = open_store(workspace.online_url, playbook.profile)
    return store, Projector(log, store, playbook.profile, playbook.brand.time_zone)


def erasing(workspace: Workspace, log: Log, store: Any, projector: Any) -> Callable[[str, datetime], Any]:
    """Erases a customer (id, time) from everything that the workspace keeps; None where nothing was kept."""
    from features.erasure import erase

    return lambda customer_id, at: erase(customer_id, log=log, store=store, projector=projector, data=workspace.data, at=at)


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1, bound from now on (0: any free port). Raises KairosError where the port is in use."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
        bound.listen(2048)
    except OSError as error:
        bound.close()
        raise KairosError(f"port {port} is in use; stop what listens there or choose another with --port") from error
    return bound


def main() -> None:
    """The entry point: a fault that a person can mend is one clear message and exit code 2."""
    try:
        app()
    except KairosError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        _fail(_not_installed(error))


def _not_installed(error: ModuleNotFoundError) -> str:
    return f"the package {error.name!r} is not installed; install what this verb needs: pip install 'kairos-nba[training]'"


def _fail(message: str, *, code: int = 2) -> NoReturn:
    _err.print(f"kairos: {message}", markup=False, highlight=False, soft_wrap=True, style="red")
    sys.exit(code)


if __name__ == "__main__":
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    main()
