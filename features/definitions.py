"""All of Feast's objects, generated from profile.yaml: the only file here that Feast itself imports (see .feastignore).

From Python `objects` makes them. When Feast's own command line imports this file, by its bare name, `KAIROS_WORKSPACE` names
the workspace, whose current build they describe.
"""

import os
from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Float64, Int64, String

from features import builds
from features.schema import ProfileSpec
from features.workspace import Workspace

CUSTOMER = Entity(
    name="customer",
    join_keys=["customer_id"],
    value_type=ValueType.STRING,
    description="Whoever the brand serves, by the id it knows them by.",
)


def objects(spec: ProfileSpec, folder: Path, stamp: str) -> list[Entity | FeatureView]:
    """The customer and a view for each table of the build `stamp` in `folder`.

    event_timestamp is when a row became known and effective. Values are exact as of the view's as-of column and are aged
    after the join (see `features.ageing`), which is also where values expire: Feast drops none. `store.push` takes rows by
    the name of a view and `_push`.
    """
    features = spec.index.features
    says = {feature.name: feature.says for feature in features}
    views = [
        FeatureView(
            name=table.name,
            entities=[CUSTOMER],
            ttl=timedelta(0),
            schema=[
                Field(name="customer_id", dtype=String),
                Field(name=table.as_of, dtype=Int64, description="microseconds since 1970 UTC"),
                *(Field(name=name, dtype=Float64, description=says[name]) for name in table.names),
            ],
            source=PushSource(
                name=f"{table.name}_push",
                batch_source=FileSource(
                    name=f"{table.name}_table",
                    path=str(builds.table_file(folder, stamp, table.name).resolve()),
                    timestamp_field="event_timestamp",
                ),
            ),
            online=True,
            owner=spec.views[table.name].owner,
            tags={"source": table.source, "purpose": table.purpose, "checksum": str(table.checksum)},
        )
        for table in spec.tables
    ]
    return [CUSTOMER, *views]


def _of_workspace(path: str) -> dict[str, Entity | FeatureView]:
    workspace = Workspace.load(path)
    folder = workspace.data / "offline"
    build = builds.current(folder)
    if build is None:
        raise builds.FeatureStoreError(f"{folder}: nothing is built yet; run 'kairos features build'")
    return {made.name: made for made in objects(workspace.profile, folder, build.stamp)}


if __name__ == "definitions":
    # Feast takes what it finds among the module's names
    globals().update(_of_workspace(os.environ["KAIROS_WORKSPACE"]))
