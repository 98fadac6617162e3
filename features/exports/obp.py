"""Bandit feedback as the Open Bandit Pipeline takes it: arrays by its names in one .npz, `dict(numpy.load(FILE))`.

| key | shape | what |
|---|---|---|
| n_rounds, n_actions | () | how many choices, how many actions; action 0 is nothing |
| context | (n_rounds, 2 f) float64 | the features' values (0 where missing; labels by position), then whether each is known |
| action | (n_rounds,) int64 | what was chosen |
| position | (n_rounds,) int64 | 0: only the first place of a decision is one |
| reward | (n_rounds,) float64 | 1 where it had its success in its window, else 0 |
| pscore | (n_rounds,) float64 | the probability it was chosen with |
| action_context | (n_actions, k) float64 | margin, whether it is nothing, a column a topic |
| action_name, context_name, action_context_name | text | what the rows and columns are |

See https://zr-obp.readthedocs.io (obp.types.BanditFeedback). Columns go to disk as they come; no array is held whole.
"""

import shutil
import zipfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from decisioning.catalog import Action
from decisioning.customer import FeatureIndex
from features.exports.choices import Choice
from features.exports.whole import whole_file

_COLUMNS: dict[str, type[np.generic]] = {
    "context": np.float64,
    "action": np.int64,
    "position": np.int64,
    "reward": np.float64,
    "pscore": np.float64,
}


def write(choices: Iterable[Choice], out: Path, *, index: FeatureIndex, topics: tuple[str, ...]) -> int:
    """How many rounds were written. `index` and `topics` give the columns, whatever version a choice was made with."""
    features = [feature.name for feature in index.features if not feature.sensitive]
    known, actions, rounds = dict[str, int](), list[Action](), 0
    with whole_file(out) as place, ExitStack() as stack:
        files = {name: stack.enter_context(TemporaryFile()) for name in _COLUMNS}
        for choice in choices:
            row = _row(choice, features, known, actions)
            for name, kind in _COLUMNS.items():
                files[name].write(np.asarray(row[name], dtype=kind).tobytes())
            rounds += 1
        whole: dict[str, NDArray[Any]] = {
            "n_rounds": np.array(rounds),
            "n_actions": np.array(len(actions) + 1),
            "action_context": _contexts(actions, topics),
            "action_name": np.array(["nothing", *(action.name for action in actions)]),
            "context_name": np.array([*features, *(f"known:{name}" for name in features)], dtype=np.str_),
            "action_context_name": np.array(["value", "nothing", *(f"topic:{topic}" for topic in topics)]),
        }
        shapes = {name: (rounds, 2 * len(features)) if name == "context" else (rounds,) for name in _COLUMNS}
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            for name, value in whole.items():
                with archive.open(f"{name}.npy", "w") as entry:
                    npy.write_array(entry, value, allow_pickle=False)
            for name, file in files.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    _copy(file, entry, shapes[name], _COLUMNS[name])
    return rounds


def _row(choice: Choice, features: list[str], known: dict[str, int], actions: list[Action]) -> dict[str, Any]:
    """One round; an action that is met for the first time gets the next number."""
    for action in choice.actions:
        if action.name not in known:
            actions.append(action)
            known[action.name] = len(actions)
    values = np.array([choice.profile.get(name, np.nan) for name in features])
    there = ~np.isnan(values)
    chosen = 0 if choice.chosen == len(choice.actions) else known[choice.actions[choice.chosen].name]
    return {
        "context": np.concatenate([np.where(there, values, 0.0), there]),
        "action": chosen,
        "position": 0,
        "reward": choice.reward,
        "pscore": choice.probabilities[choice.chosen],
    }


def _contexts(actions: list[Action], topics: tuple[str, ...]) -> NDArray[np.float64]:
    """(n_actions, 2 + topics), nothing first."""
    rows = [[0.0, 1.0, *(0.0 for _ in topics)]]
    rows += [[action.value, 0.0, *(float(topic in action.topics) for topic in topics)] for action in actions]
    return np.array(rows, dtype=np.float64)


def _copy(file: IO[bytes], entry: IO[bytes], shape: tuple[int, ...], kind: type[np.generic]) -> None:
    """The array whose bytes are in `file`, in NumPy's form."""
    header = {"descr": npy.dtype_to_descr(np.dtype(kind)), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(entry, header)
    file.seek(0)
    shutil.copyfileobj(file, entry)
