"""What training hands to the server: forests as text, the rows they read and what they mean, named by the hash of all of it.

A folder of bundles holds one folder a bundle, named by its hash (bundle.json and a text a forest), and a pointer file
`current`. Bundles never change: what is in a folder hashes to the folder's name, or it is refused.
"""

import hashlib
import math
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from decisioning.customer import Feature, FeatureIndex
from decisioning.errors import KairosError
from features.answers import Answer
from features.rows import Column, RowSpec
from features.word_model import TextModel

FORM = 4
"""The version of bundle.json. Form 4 came with the line of an uplift model."""
_READS = (3, FORM)
"""The forms that are read: a bundle of form 3 means the same in form 4."""

_HASH_DIGITS = 16
_EMOTION = "emotion.json"


class BundleError(KairosError):
    """A bundle that is missing, damaged, or does not fit the profile it would be used with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledModel:
    """`forests` holds LightGBM's model text of each forest, `answer` what their scores mean; `fingerprint` is that of the data
    it learned from.
    """

    name: str
    forests: Mapping[str, str]
    row: RowSpec
    answer: Answer
    metrics: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise ValueError(f"model {self.name!r}: a name has small letters, digits and underscores")
        if set(self.forests) != set(self.answer.forests):
            raise ValueError(f"model {self.name}: it needs the forests {', '.join(self.answer.forests)}")
        if strange := [name for name, value in self.metrics.items() if not math.isfinite(value)]:
            raise ValueError(f"model {self.name}: {', '.join(strange)} is not a finite number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """`features` are those that the rows read, as the profile defined them in training; `topics` code the column `topic`.

    `emotion` is how customers' words are read; None where no such model was trained.
    """

    hash: str
    models: Mapping[str, BundledModel]
    features: tuple[Feature, ...]
    topics: tuple[str, ...]
    emotion: TextModel | None = None

    def require(self, index: FeatureIndex) -> None:
        """Raises BundleError where a feature is absent from a live index, or means something else there."""
        faults = []
        for learned in self.features:
            if learned.name not in index.positions:
                faults.append(f"{learned.name} is not in the profile")
            elif (changed := meaning_of(learned)) != (now := meaning_of(index[learned.name])):
                faults.append(f"{learned.name} was {changed} in training and is {now} in the profile")
        if faults:
            raise BundleError(f"bundle {self.hash} does not fit the profile: {'; '.join(faults)}; train again")


def bundled(
    models: Sequence[BundledModel], index: FeatureIndex, topics: tuple[str, ...], *, emotion: TextModel | None = None
) -> Bundle:
    """A bundle of models that were trained with this profile. Raises BundleError where a row needs what it does not have."""
    absent = sorted({name for model in models for name in model.row.absent(index, topics)})
    if absent:
        raise BundleError(f"the profile has no {', '.join(absent)}: add them to profile.yaml or train without them")
    needed = {name for model in models for name in model.row.needs(topics)}
    features = tuple(feature for feature in index.features if feature.name in needed)
    by_name = {model.name: model for model in models}
    hash = _hash(by_name, features, topics, emotion)
    return Bundle(hash=hash, models=by_name, features=features, topics=topics, emotion=emotion)


def write(bundle: Bundle, folder: Path) -> str:
    """Write a bundle whole or not at all; one that is there already is left as it is. Returns its hash."""
    target = folder / bundle.hash
    if target.exists():
        return bundle.hash
    folder.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        partial.chmod(0o755)
        for model in bundle.models.values():
            for forest, text in model.forests.items():
                _write_through(partial / f"{model.name}.{forest}.txt", text.encode())
        if bundle.emotion is not None:
            _write_through(partial / _EMOTION, bundle.emotion.encoded())
        _write_through(partial / "bundle.json", _document(bundle.models, bundle.features, bundle.topics, bundle.emotion))
        partial.rename(target)
    except OSError:
        if not target.exists():
            raise
        # another process wrote the same bundle meanwhile
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return bundle.hash


def switch(folder: Path, hash: str) -> None:
    """Point `current` to a bundle of the folder, atomically. Raises BundleError where there is no such bundle."""
    if not (folder / hash / "bundle.json").is_file():
        raise BundleError(f"{folder / hash}: no such bundle")
    partial = folder / f".current-{os.getpid()}"
    _write_through(partial, f"{hash}\n".encode())
    os.replace(partial, folder / "current")


def current(folder: Path) -> str | None:
    """The hash that the pointer names; None where nothing was ever promoted."""
    try:
        return (folder / "current").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def read(folder: Path, hash: str) -> Bundle:
    """Raises BundleError where the bundle is missing, is of another form, or does not hash to its name."""
    place = folder / hash
    try:
        content = (place / "bundle.json").read_bytes()
        if (form := msgspec.json.decode(content, type=_Form).form) not in _READS:
            raise BundleError(f"{place}: a bundle of form {form}, this version reads {_READS[0]} to {FORM}; train again")
        document = msgspec.json.decode(content, type=_Document)
        texts = {
            name: {forest: (place / f"{name}.{forest}.txt").read_bytes().decode() for forest in one.answer.forests}
            for name, one in document.models.items()
        }
        emotion = None if document.emotion is None else TextModel.decoded((place / _EMOTION).read_bytes())
    except FileNotFoundError as error:
        raise BundleError(f"{error.filename}: the file is missing; train again, or promote another bundle") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise BundleError(f"{place}: not a bundle that this version reads ({error}); train again") from error
    models = {
        name: BundledModel(
            name=name,
            forests=texts[name],
            row=RowSpec(one.columns),
            answer=one.answer,
            metrics=one.metrics,
            fingerprint=one.fingerprint,
        )
        for name, one in document.models.items()
    }
    if (found := _hash(models, document.features, document.topics, emotion, form)) != hash:
        raise BundleError(f"{place}: its content hashes to {found}: it was changed after training; train again")
    return Bundle(hash=hash, models=models, features=document.features, topics=document.topics, emotion=emotion)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DocumentModel:
    columns: tuple[Column, ...]
    answer: Answer
    metrics: Mapping[str, float]
    fingerprint: str
    sha256: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What every form of bundle.json says of itself."""

    form: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """bundle.json. `emotion` is the SHA-256 of the file of that name, written only where there is one."""

    form: int
    topics: tuple[str, ...]
    features: tuple[Feature, ...]
    models: Mapping[str, _DocumentModel]
    emotion: str | None = None


def _document(
    models: Mapping[str, BundledModel],
    features: tuple[Feature, ...],
    topics: tuple[str, ...],
    emotion: TextModel | None,
    form: int = FORM,
) -> bytes:
    document = _Document(
        form=form,
        topics=topics,
        features=features,
        models={
            name: _DocumentModel(
                columns=model.row.columns,
                answer=model.answer,
                metrics=dict(model.metrics),
                fingerprint=model.fingerprint,
                sha256={name: hashlib.sha256(text.encode()).hexdigest() for name, text in model.forests.items()},
            )
            for name, model in models.items()
        },
        emotion=None if emotion is None else hashlib.sha256(emotion.encoded()).hexdigest(),
    )
    said = msgspec.to_builtins(document)
    if emotion is None:
        # bundles of before there were such models keep their hash
        del said["emotion"]
    return msgspec.json.format(msgspec.json.encode(said, order="sorted"), indent=1)


def _hash(
    models: Mapping[str, BundledModel],
    features: tuple[Feature, ...],
    topics: tuple[str, ...],
    emotion: TextModel | None,
    form: int = FORM,
) -> str:
    return hashlib.sha256(_document(models, features, topics, emotion, form)).hexdigest()[:_HASH_DIGITS]


def meaning_of(feature: Feature) -> str:
    """What must not change under a model: how the number moves, its unit, its codes, what it is made of."""
    moves = f"{feature.ages} (half-life {feature.half_life_days:g} days)" if feature.ages == "decays" else feature.ages
    coded = f", one of {', '.join(feature.labels)}" if feature.labels else ""
    return f"{feature.unit or 'a number'} that {moves}{coded} [{feature.made}]"


def _write_through(file: Path, content: bytes) -> None:
    with file.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
