"""What is asked of Feast: to know a build's tables, to join them to labels, to serve them. Importing it takes seconds."""

import asyncio
import os
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from features import builds
from features.workspace import Workspace

if TYPE_CHECKING:
    from feast import FeatureStore

_CONFIGURATION = Path(__file__).with_name("feature_store.yaml")
_REGISTRY = "registry.db"
_REGISTERED = "registry.stamp"


def register(workspace: Workspace, stamp: str) -> None:
    """Apply the definitions of a build, unless the registry holds them already. The registry is replaced whole."""
    registry, mark, folder = workspace.data / _REGISTRY, workspace.data / _REGISTERED, workspace.data / "offline"
    # the definitions name files: those of a workspace that was copied or moved are told anew
    held = f"{stamp} {folder.resolve()}"
    if registry.is_file() and mark.is_file() and mark.read_text(encoding="utf-8") == held:
        return
    builds.clear_left(workspace.data, f".{_REGISTRY}-")
    partial = workspace.data / f".{_REGISTRY}-{os.getpid()}"
    try:
        with _contained(workspace):
            from features.definitions import objects

            _store(workspace, registry=partial).apply(objects(workspace.profile, folder, stamp))
        os.replace(partial, registry)
    finally:
        partial.unlink(missing_ok=True)
    mark.write_text(held, encoding="utf-8")


def join(workspace: Workspace, stamp: str, asked: pl.DataFrame, features: Collection[str]) -> pl.DataFrame:
    """For each row of `asked` (label, customer_id, event_timestamp) the values known by then, and the as-of columns.

    One row a row asked, in their order; null where nothing was known. `features` are names of stored columns.
    """
    register(workspace, stamp)
    wanted = []
    for table in workspace.profile.tables:
        names = [name for name in table.names if name in features]
        wanted += [f"{table.name}:{name}" for name in ((table.as_of, *names) if names else ())]
    if not wanted:
        return asked
    with _contained(workspace):
        from feast.errors import FeastObjectNotFoundException

        labels = asked.to_pandas(use_pyarrow_extension_array=True)  # the same memory: no object a value
        try:
            job = _store(workspace).get_historical_features(entity_df=labels, features=wanted)
            found = pl.from_arrow(job.to_arrow())
        except FeastObjectNotFoundException as error:
            raise builds.FeatureStoreError(
                f"{workspace.data / _REGISTRY}: damaged ({error}); delete it and try again"
            ) from error
    assert isinstance(found, pl.DataFrame), "a table makes a frame"
    return found


@contextmanager
def serving(workspace: Workspace, stamp: str, online_store: str) -> Iterator["FeatureStore"]:
    """Feast's store of a build, applied, with an online store as `online_store` (YAML, see feature_store.yaml) says.

    The registry is that of the workspace, which the build's own registration shares.
    """
    with _contained(workspace, online_store):
        from features.definitions import objects

        store = _store(workspace)
        try:
            store.apply(objects(workspace.profile, workspace.data / "offline", stamp))
            yield store
        finally:
            asyncio.run(store.close())


def _store(workspace: Workspace, registry: Path | None = None) -> "FeatureStore":
    from feast import FeatureStore
    from feast.repo_config import load_repo_config

    config = load_repo_config(workspace.path, _CONFIGURATION)
    if registry is not None:
        config.registry_config = str(registry)
    return FeatureStore(config=config)


@contextmanager
def _contained(workspace: Workspace, online_store: str = "null") -> Iterator[None]:
    """Feast at work, with the variables that its configuration reads. What it does to the process is undone after.

    Its import changes the filters of warnings and leaves directories of Prometheus in the environment.
    """
    import prometheus_client  # noqa: F401 - before Feast, which would have it keep files open until the process ends

    before = dict(os.environ)
    try:
        with warnings.catch_warnings():
            import feast  # noqa: F401 - before our filter, for it puts its own in front

            # Ibis calls a method of DuckDB by its old name
            warnings.filterwarnings("ignore", r"fetch_arrow_table\(\) is deprecated", DeprecationWarning)
            os.environ["KAIROS_WORKSPACE"] = str(workspace.path.resolve())
            os.environ["KAIROS_ONLINE_STORE"] = online_store
            yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})
