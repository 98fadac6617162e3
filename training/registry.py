"""The only door to MLflow: runs, registered versions and their aliases. SQLite and files under the workspace by default.

Nothing here decides anything: what is logged, compared and promoted is said by `training.train` and `training.promote`.
"""

import contextlib
import logging
import math
import os
import socket
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from training.errors import TrackingError

CHALLENGER = "challenger"

# MLflow is configured through the environment alone; whoever runs Kairos may set these otherwise.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}
_URI = "MLFLOW_TRACKING_URI"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run leaves behind. `files` maps a path inside the run to its content; `columns` are the model's inputs, `model`
    is LightGBM's booster, `requirements` what pip must install to load it elsewhere. A model that is arrays has no booster:
    `source` then names the file among `files` that is the model.
    """

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    files: Mapping[str, bytes]
    columns: Sequence[str]
    model: Any
    requirements: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A registered version of a model and the run it came from."""

    name: str
    version: str
    run_id: str


class Registry:
    """An open MLflow store. Every method raises TrackingError, naming the store and the cure, where MLflow fails."""

    def __init__(self, data: Path, *, experiment: str) -> None:
        """`data` is the workspace's data folder; the environment's MLFLOW_TRACKING_URI, where set, names another store."""
        self._mlflow = _mlflow()
        self.uri, artifacts = _store(data)
        with self._guarded(), _without_its_own_warnings():
            self._client = self._mlflow.MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            found = self._client.get_experiment_by_name(experiment)
            self._experiment: str = (
                found.experiment_id if found else self._client.create_experiment(experiment, artifact_location=artifacts)
            )

    def end_interrupted(self) -> int:
        """Mark as KILLED the runs that a process of this machine, now gone, left RUNNING. Returns their number."""
        with self._guarded():
            left = [run for run in self._search("attributes.status = 'RUNNING'") if _abandoned(run.data.tags)]
            for run in left:
                self._client.set_terminated(run.info.run_id, status="KILLED")
        return len(left)

    def finished(self, tags: Mapping[str, str]) -> str | None:
        """The id of the newest finished run that carries these tags."""
        asked = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
        with self._guarded():
            runs = self._search(f"attributes.status = 'FINISHED' and {asked}")
        return runs[0].info.run_id if runs else None

    def count(self, tags: Mapping[str, str]) -> int:
        """How many runs, in whatever state, carry these tags."""
        with self._guarded():
            return len(self._search(" and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())))

    @contextlib.contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[str]:
        """An open run's id. It ends FINISHED after `keep`; an error inside leaves it FAILED, an interruption KILLED."""
        mine = {"kairos.host": socket.gethostname(), "kairos.pid": str(os.getpid())}
        with self._guarded():
            run_id: str = self._client.create_run(self._experiment, run_name=name, tags={**tags, **mine}).info.run_id
        try:
            yield run_id
        except BaseException as error:
            with contextlib.suppress(Exception):
                status = "FAILED" if isinstance(error, Exception) else "KILLED"
                self._client.set_terminated(run_id, status=status)
            raise

    def note(self, name: str, *, tags: Mapping[str, str], metrics: Mapping[str, float]) -> str:
        """A finished run that holds no model. Metrics that are no finite numbers are left out. Returns its id."""
        entities = self._mlflow.entities
        finite = [entities.Metric(key, value, 0, 0) for key, value in metrics.items() if math.isfinite(value)]
        with self.run(name, tags) as run_id, self._guarded():
            self._client.log_batch(run_id, metrics=finite)
            self._client.set_terminated(run_id)
        return run_id

    def keep(self, run_id: str, evidence: Evidence) -> None:
        """Log everything to an open run, the model with its signature last, and finish it."""
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema

        signature = ModelSignature(
            inputs=Schema([ColSpec("float", name, required=False) for name in evidence.columns]),
            outputs=Schema([ColSpec("double")]),
        )
        with self._guarded(), tempfile.TemporaryDirectory() as folder:
            for path, content in evidence.files.items():
                file = Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            entities = self._mlflow.entities
            self._client.log_batch(
                run_id,
                metrics=[entities.Metric(name, value, 0, 0) for name, value in evidence.metrics.items()],
                params=[entities.Param(name, value) for name, value in evidence.params.items()],
                tags=[entities.RunTag(name, value) for name, value in evidence.tags.items()],
            )
            self._client.log_artifacts(run_id, folder)
            if evidence.model is None:
                self._client.set_tag(run_id, "kairos.source", f"runs:/{run_id}/{evidence.source}")
                self._client.set_terminated(run_id)
                return
            with self._mlflow.start_run(run_id=run_id):
                logged = self._mlflow.lightgbm.log_model(
                    evidence.model, name="model", signature=signature, pip_requirements=list(evidence.requirements)
                )
                self._client.set_tag(run_id, "kairos.source", logged.model_uri)

    def register(self, name: str, run_id: str) -> Version:
        """The version made of a finished run, made now if there is none; it becomes the challenger."""
        with self._guarded():
            if not self._client.search_registered_models(f"name = '{name}'"):
                self._client.create_registered_model(name)
            found = self._client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
            if not found:
                source = self._client.get_run(run_id).data.tags["kairos.source"]
                found = [self._client.create_model_version(name, source=source, run_id=run_id, await_creation_for=0)]
            made = Version(name=name, version=str(found[0].version), run_id=run_id)
        self.point(CHALLENGER, made)
        return made

    def pointed(self, name: str, alias: str) -> Version | None:
        """The version that an alias names; None where nothing has it."""
        with self._guarded():
            known = self._client.search_registered_models(f"name = '{name}'")
            number = known[0].aliases.get(alias) if known else None
            if number is None:
                return None
            found = self._client.get_model_version(name, str(number))
        return Version(name=name, version=str(found.version), run_id=str(found.run_id))

    def point(self, alias: str, version: Version) -> None:
        self._alias(version.name, alias, version)

    def holds(self, version: Version) -> bool:
        """Whether this store has that very version, of that run."""
        with self._guarded():
            found = self._client.search_model_versions(f"name = '{version.name}' and run_id = '{version.run_id}'")
        return any(str(one.version) == version.version for one in found)

    @contextlib.contextmanager
    def moved(self, alias: str, versions: Sequence[Version], *, gone: Sequence[str] = ()) -> Iterator[None]:
        """Inside, and from then on, an alias names these versions, and none of the models `gone`. All or none.

        A version that the store does not hold is refused before any alias moves; an error, also one inside, puts them back.
        """
        for one in versions:
            if not self.holds(one):
                raise TrackingError(
                    f"MLflow at {self.uri} does not hold version {one.version} of {one.name}; name the store that does by "
                    f"{_URI}, or promote another"
                )
        before = {name: self.pointed(name, alias) for name in (*(one.name for one in versions), *gone)}
        after = {**dict.fromkeys(gone), **{one.name: one for one in versions}}
        try:
            for name, version in after.items():
                if version != before[name]:
                    self._alias(name, alias, version)
            yield
        except BaseException:
            for name, version in before.items():
                with contextlib.suppress(TrackingError):
                    self._alias(name, alias, version)
            raise

    def _alias(self, name: str, alias: str, version: Version | None) -> None:
        with self._guarded():
            if version is None:
                self._client.delete_registered_model_alias(name, alias)
            else:
                self._client.set_registered_model_alias(name, alias, version.version)

    def metrics(self, run_id: str) -> dict[str, float]:
        with self._guarded():
            return dict(self._client.get_run(run_id).data.metrics)

    def tags(self, run_id: str) -> dict[str, str]:
        with self._guarded():
            return dict(self._client.get_run(run_id).data.tags)

    def has(self, run_id: str, path: str) -> bool:
        """Whether a run holds a file or folder."""
        with self._guarded():
            return path in {one.path for one in self._client.list_artifacts(run_id, str(Path(path).parent))}

    def fetch(self, run_id: str, path: str, into: Path) -> Path:
        """Bring a file or folder of a run to a local folder; where it lies there."""
        with self._guarded():
            return Path(self._client.download_artifacts(run_id, path, str(into)))

    def _search(self, asked: str) -> list[Any]:
        return list(self._client.search_runs([self._experiment], asked, max_results=1000))

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with _current(self._mlflow, self.uri):
                yield
        except TrackingError:
            raise
        # MLflow answers with its own errors, those of requests, of SQLAlchemy and of the file system
        except Exception as error:
            cause = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
            cure = (
                f"start it, or unset {_URI}"
                if os.environ.get(_URI)
                else "see that the folder can be written and the disk has room"
            )
            raise TrackingError(f"MLflow at {self.uri} cannot be used: {cause}; {cure}") from error


def tracking_uri(data: Path) -> str:
    """Where the runs of a workspace are: what `mlflow ui --backend-store-uri` takes."""
    return os.environ.get(_URI) or f"sqlite:///{(data / 'mlflow' / 'mlflow.db').resolve()}"


def _store(data: Path) -> tuple[str, str | None]:
    """The tracking URI, and where artifacts go (None: a tracking server decides)."""
    uri = tracking_uri(data)
    if uri.startswith(("http://", "https://", "databricks")):
        return uri, None
    home = (data / "mlflow").resolve()
    home.mkdir(parents=True, exist_ok=True)
    return uri, (home / "artifacts").as_uri()


@cache
def _mlflow() -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        with _without_its_own_warnings():
            import mlflow

            # without the package, `import mlflow` would find the checkout's folder of that name: an empty ghost
            if mlflow.__file__ is None:
                raise ImportError("only the checkout's folder mlflow/ was found")
            import mlflow.lightgbm
            import mlflow.pyfunc
    except ImportError as error:
        raise TrackingError(f"MLflow is not installed ({error}); pip install 'kairos-nba[training]'") from error
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return mlflow


@contextlib.contextmanager
def _without_its_own_warnings() -> Iterator[None]:
    """MLflow warns of its own use of SQLAlchemy and of its own type hints while it loads: nobody here can act on that."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType", category=UserWarning)
        yield


@contextlib.contextmanager
def _current(mlflow: Any, uri: str) -> Iterator[None]:
    """Much of MLflow works through a global address, which it also writes into the environment: both are put back."""
    names = (_URI, "MLFLOW_REGISTRY_URI")
    before = {name: os.environ.get(name) for name in names}
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield
    finally:
        mlflow.set_registry_uri(None)
        mlflow.set_tracking_uri(None)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _abandoned(tags: Mapping[str, str]) -> bool:
    """Whether the process that opened a run is gone. A run with this process's own number is of an earlier life of it."""
    pid = tags.get("kairos.pid", "")
    if tags.get("kairos.host") != socket.gethostname() or not pid.isdigit() or os.name != "posix":
        return False
    if int(pid) == os.getpid():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
