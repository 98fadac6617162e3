"""Labels and the profile at their moment, made into the matrix that a model learns from."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from decisioning.customer import FeatureIndex
from features import offline
from features.rows import TOPIC, Actions, Column, Offer, RowSpec, encode_actions, rows
from features.workspace import Workspace
from training.errors import TrainingError
from training.folds import FEWEST, Timed
from training.labels import Labels
from training.names import nearest
from training.settings import Churn, Described, Value
from training.timing import About


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """`matrix` (n, C) float32 with NaN for missing, in the columns of `row`; all else has n entries in the same order.

    `block` and `closes_us` say which rows may predict which, see `training.labels.Labels`. `groups` is what offers belong
    together in, None where rows are no offers. `treated` (uplift) says who got a message, `share` with what probability (NaN
    where it is not known), `amounts` (value) what followed. `coded` are the columns that hold codes of no order.
    `known_share` is the share of an offer's window that is over, `success_share` that after which its success came, NaN where
    there is none; None where rows are no offers with windows of their own.
    `slices` holds, by feature, the label of each row ("unknown" where it is missing). `fingerprint` is a hash of labels and
    matrix: the same data, the same hash; `test_fingerprint` one of the test's labels: models with the same one were measured
    on the same test. `timing` says of what a model of timing is.
    """

    row: RowSpec
    matrix: NDArray[np.float32]
    labels: NDArray[np.uint8]
    test: NDArray[np.bool_]
    block: NDArray[np.int32]
    at_us: NDArray[np.int64]
    closes_us: NDArray[np.int64]
    customers: Sequence[str]
    groups: Sequence[str] | None
    fingerprint: str
    test_fingerprint: str
    counted: Mapping[str, int]
    treated: NDArray[np.bool_] | None = None
    share: NDArray[np.float64] | None = None
    coded: tuple[str, ...] = ()
    amounts: NDArray[np.float64] | None = None
    known_share: NDArray[np.float64] | None = None
    success_share: NDArray[np.float64] | None = None
    slices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    timing: About | None = None

    @property
    def timed(self) -> Timed:
        return Timed(block=self.block, at_us=self.at_us, closes_us=self.closes_us)


def row_of(settings: Described) -> RowSpec:
    """The columns that models.yaml names: of offers the customer's first, then the offer's, then the crossed ones."""
    if isinstance(settings, Churn | Value):
        return RowSpec(tuple(Column(name=name, side="customer", of=name) for name in settings.columns))
    customer = (Column(name=name, side="customer", of=name) for name in settings.customer)
    action = (Column(name=name, side="action", of=name, labels=one.labels) for name, one in settings.action.items())
    cross = (Column(name=name, side="cross", pick=one.pick, over=one.over) for name, one in settings.cross.items())
    return RowSpec((*customer, *action, *cross))


def build(workspace: Workspace, labels: Labels, row: RowSpec, *, model: str, slices: Sequence[str] = ()) -> Dataset:
    """The matrix of a model, point-in-time correct. Columns that never vary among the training rows are left out and counted.

    Raises TrainingError where the profile lacks a feature of the row or of `slices`, where no column varies, or where training
    or test rows have too few positives or only one label, and what `features.offline` raises.
    """
    frame = labels.frame
    _check_names(workspace, row, slices, model)
    _check_labels(frame, model)
    matrix, sliced = _features(workspace, frame, row, slices)
    test = frame["test"].to_numpy()
    varies = _varying(matrix[~test])
    if not varies.any():
        raise TrainingError(f"{model}: no column varies among the training rows, so nothing can be learned; name other columns")
    constant = [name for name, one in zip(row.names, varies, strict=True) if not one]
    left_out = {f"columns left out that never vary: {', '.join(constant)}": len(constant)} if constant else {}
    kept = np.ascontiguousarray(matrix[:, varies])
    return _dataset(workspace, labels, frame, _kept(row, varies), kept, sliced, {**labels.counted, **left_out})


def of_test(workspace: Workspace, labels: Labels, row: RowSpec, *, model: str, slices: Sequence[str] = ()) -> Dataset:
    """The rows of the test alone, in the columns of a row that a model has learned from before. Raises as `build`."""
    frame = labels.frame.filter("test")
    _check_names(workspace, row, slices, model)
    _check_part("test", frame, model)
    return _dataset(workspace, labels, frame, row, *_features(workspace, frame, row, slices), labels.counted)


def _check_names(workspace: Workspace, row: RowSpec, slices: Sequence[str], model: str) -> None:
    index, topics = workspace.profile.index, tuple(workspace.profile.topics)
    if absent := (*row.absent(index, topics), *(name for name in slices if name not in index.positions)):
        named = ", ".join(f"{name}{nearest(name, index.positions)}" for name in absent)
        raise TrainingError(f"{model}: profile.yaml has no {named}; add them there, or drop them in models.yaml")
    if plain := [name for name in slices if not index[name].labels]:
        raise TrainingError(f"{model}: slices: {', '.join(plain)} has no labels; name a feature that is a band or has labels")


def _features(
    workspace: Workspace, frame: pl.DataFrame, row: RowSpec, slices: Sequence[str]
) -> tuple[NDArray[np.float32], dict[str, list[str]]]:
    """The matrix (n, C) of labelled rows as the profile was known at their moments, and the labels of the slices."""
    index, topics = workspace.profile.index, tuple(workspace.profile.topics)
    needed = FeatureIndex(tuple(index[name] for name in dict.fromkeys((*row.needs(topics), *slices))))
    names = [feature.name for feature in needed.features]
    profiles = offline.training_frame(workspace, frame.select("customer_id", "at"), features=names)
    customers = np.ascontiguousarray(profiles.select(pl.col(names).fill_null(float("nan"))).to_numpy(), dtype=np.float32)
    matrix = rows(row, needed, customers, _actions(frame, row, topics) if "features" in frame.columns else None)
    return matrix, {name: _labels_of(customers[:, needed.positions[name]], index[name].labels) for name in slices}


def _dataset(
    workspace: Workspace,
    labels: Labels,
    frame: pl.DataFrame,
    row: RowSpec,
    matrix: NDArray[np.float32],
    slices: Mapping[str, Sequence[str]],
    counted: Mapping[str, int],
) -> Dataset:
    identity, test = _columns(frame), frame["test"].to_numpy()
    return Dataset(
        row=row,
        matrix=matrix,
        labels=frame["label"].to_numpy(),
        test=test,
        block=frame["block"].to_numpy(),
        at_us=frame["at"].to_physical().to_numpy(),
        closes_us=frame["closes_at"].to_physical().to_numpy(),
        customers=frame["customer_id"].to_list(),
        groups=frame["group"].to_list() if "group" in frame.columns else None,
        fingerprint=_hash(identity, repr(row).encode(), _bytes(matrix)),
        test_fingerprint=_hash(identity.filter(pl.Series(test))),
        counted=counted,
        treated=frame["treated"].to_numpy() if "treated" in frame.columns else None,
        share=frame["share"].fill_null(float("nan")).to_numpy() if "share" in frame.columns else None,
        coded=tuple(column.name for column in row.columns if _is_coded(column, workspace.profile.index)),
        amounts=frame["amount"].to_numpy() if "amount" in frame.columns else None,
        known_share=frame["known_share"].to_numpy() if "known_share" in frame.columns else None,
        success_share=frame["success_share"].fill_null(np.nan).to_numpy() if "success_share" in frame.columns else None,
        slices=slices,
        timing=labels.timing,
    )


def _varying(matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(C,): whether a column holds two different values, missing being one."""
    known = ~np.isnan(matrix)
    least = np.where(known, matrix, np.inf).min(axis=0, initial=np.inf)
    most = np.where(known, matrix, -np.inf).max(axis=0, initial=-np.inf)
    return np.asarray((most > least) | (known.any(axis=0) & ~known.all(axis=0)), dtype=np.bool_)


def _kept(row: RowSpec, kept: NDArray[np.bool_]) -> RowSpec:
    return RowSpec(tuple(column for column, is_kept in zip(row.columns, kept, strict=True) if is_kept))


def _is_coded(column: Column, index: FeatureIndex) -> bool:
    if column.side == "customer":
        return bool(index[column.of].labels)
    return column.side == "action" and (bool(column.labels) or column.of == TOPIC)


def _labels_of(codes: NDArray[np.float32], labels: Sequence[str]) -> list[str]:
    return ["unknown" if np.isnan(code) else labels[int(code)] for code in codes]


def _check_labels(frame: pl.DataFrame, model: str) -> None:
    _check_part("training", frame.filter(~pl.col("test")), model)
    _check_part("test", frame.filter("test"), model)


def _check_part(part: Literal["training", "test"], rows_: pl.DataFrame, model: str) -> None:
    positives, negatives = int(rows_["label"].sum()), int((1 - rows_["label"].cast(pl.Int8)).sum())
    if rows_.is_empty():
        raise TrainingError(f"{model}: there are no {part} rows; move its {part} dates in models.yaml to where data are")
    if part == "training" and min(positives, negatives) < FEWEST:
        raise TrainingError(
            f"{model}: of {rows_.height} training rows {positives} are positive and {negatives} negative, and at least "
            f"{FEWEST} of each are needed; take in more history or train on more dates (models.yaml)"
        )
    if min(positives, negatives) == 0:
        only = "positive" if positives else "negative"
        raise TrainingError(
            f"{model}: all {rows_.height} {part} rows are {only}, so nothing can be measured; choose other {part} dates "
            f"in models.yaml"
        )


def _actions(frame: pl.DataFrame, row: RowSpec, topics: tuple[str, ...]) -> Actions:
    """The offers of the rows as numbers; offers that are alike are read once."""
    key = pl.concat_str(pl.col("topics").list.join(","), "features", separator=" ")
    offers = frame.select("topics", "features", key=key)
    distinct = offers.unique("key", keep="first", maintain_order=True).with_row_index("offer")
    read = [
        Offer(tuple(names), msgspec.json.decode(features, type=dict[str, float | str]))
        for names, features in distinct.select("topics", "features").iter_rows()
    ]
    encoded = encode_actions(row, topics, read)
    which = offers.join(distinct.select("key", "offer"), on="key", how="left", maintain_order="left")["offer"].to_numpy()
    return Actions(encoded.values[which], encoded.topic[which], encoded.topics)


def _columns(frame: pl.DataFrame) -> pl.DataFrame:
    """What identifies a row and what is known of it afterwards, in a fixed order of columns. Not the share of a window that is
    over: time that passes without anything happening makes no other data.
    """
    of_row = ("customer_id", "at", "label", "test", "block", "closes_at")
    names = (*of_row, "decision_id", "action", "group", "treated", "share", "amount", "success_share")
    return frame.select([name for name in names if name in frame.columns])


def _hash(columns: pl.DataFrame, *more: bytes) -> str:
    digest = hashlib.sha256()
    for column in columns:
        digest.update(column.name.encode())
        if column.dtype == pl.String:
            digest.update("\x00".join(one or "" for one in column.to_list()).encode())
        else:
            digest.update(np.ascontiguousarray(column.to_physical().to_numpy()).tobytes())
    for part in more:
        digest.update(part)
    return digest.hexdigest()[:32]


def _bytes(matrix: NDArray[np.float32]) -> bytes:
    # every NaN gets the same bits, whichever computation made it
    return np.where(np.isnan(matrix), np.float32("nan"), matrix).astype(np.float32).tobytes()
