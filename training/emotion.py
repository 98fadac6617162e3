"""The model of customers' words, through the same door as every other model: run, card, challenger, gates, bundle."""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import sklearn

from features.word_model import FEWEST_CUSTOMERS, TextModel
from training import gates, word_learning
from training.errors import TrackingError
from training.measured import Evaluation
from training.rated import Rated
from training.registry import CHALLENGER, Evidence, Registry, Version
from training.report import CARD, EMOTION, LEARNED, EmotionReport
from training.settings import Emotion
from training.word_learning import Learned

MODEL = "kairos/emotion.json"
"""Where a run keeps the model in the server's form."""

_SHOWN = 15
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The challenger in the server's form, why it may not pass (empty when it may), and the champion of before."""

    version: Version
    before: Version | None
    reasons: tuple[str, ...]
    model: TextModel


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    reads: str
    why: str
    train_rows: int
    evaluation: Evaluation | None


def train(
    registry: Registry, settings: Emotion, rules: gates.Rules, read: Callable[[], Rated], tell: Callable[[str, float], None]
) -> EmotionReport:
    """Learn from what `read` gives, measure on its test, and register what shall read words as the challenger.

    Where the lexicon stays it is that which is registered: promoting it takes an earlier model of words out of service.
    """
    registered_as = rules.of(EMOTION).registered_as
    tell(f"{EMOTION}: reading rated texts from the log", 0.0)
    data = read()
    tags = {
        "kairos.model": EMOTION,
        "kairos.data": data.fingerprint,
        "kairos.settings": _digest(repr(settings).encode()),
        "kairos.code": _code(),
        "kairos.sklearn": sklearn.__version__,
    }
    run_id = registry.finished(tags)
    if run_id is not None:
        kept = _kept(registry, run_id)
        return _report(kept, registry.register(registered_as, run_id), reused=True)
    test = {"kairos.model": EMOTION, "kairos.test": data.test_fingerprint}
    reading = {**test, "kairos.test_reading": str(registry.count(test) + 1)}
    with registry.run(EMOTION, {**tags, **reading}) as run_id:
        tell(f"{EMOTION}: learning", 0.3)
        learned = word_learning.learn(data, least=settings.least)
        tell(f"{EMOTION}: testing", 0.7)
        evaluation = word_learning.evaluate(data, learned.words)
        kept = _Kept(
            reads="the lexicon" if learned.words is None else f"a model of {len(learned.words.vocabulary):,} terms",
            why=learned.why,
            train_rows=int((~data.test).sum()),
            evaluation=evaluation,
        )
        tell(f"{EMOTION}: keeping the run in MLflow", 0.9)
        registry.keep(run_id, _evidence(kept, learned, data, settings))
    return _report(kept, registry.register(registered_as, run_id), reused=False)


def offered(registry: Registry, rules: gates.Rules) -> Offered:
    """What promotion is offered. Raises TrackingError where words were never trained."""
    registered = rules.of(EMOTION)
    version = registry.pointed(registered.registered_as, CHALLENGER)
    if version is None:
        raise TrackingError(f"{EMOTION}: MLflow at {registry.uri} has no trained version of it; run `kairos train` first")
    before = registry.pointed(registered.registered_as, rules.alias)
    reasons = gates.shut(EMOTION, registered, gates.Shown(metrics=registry.metrics(version.run_id)))
    with tempfile.TemporaryDirectory() as folder:
        model = TextModel.decoded(registry.fetch(version.run_id, MODEL, Path(folder)).read_bytes())
    return Offered(version=version, before=before, reasons=tuple(reasons), model=model)


def _report(kept: _Kept, version: Version, *, reused: bool) -> EmotionReport:
    return EmotionReport(
        reads=kept.reads,
        why=kept.why,
        train_rows=kept.train_rows,
        evaluation=kept.evaluation,
        version=version,
        reused=reused,
    )


def _kept(registry: Registry, run_id: str) -> _Kept:
    with tempfile.TemporaryDirectory() as folder:
        return msgspec.json.decode(registry.fetch(run_id, LEARNED, Path(folder)).read_bytes(), type=_Kept)


def _evidence(kept: _Kept, learned: Learned, data: Rated, settings: Emotion) -> Evidence:
    # what was never measured gains nothing: the lexicon is what it would be compared with
    measured = kept.evaluation.numbers if kept.evaluation else {f"gain_over_lexicon{end}": 0.0 for end in ("", "_low", "_high")}
    finite = {name: value for name, value in measured.items() if np.isfinite(value)}
    model = TextModel(words=learned.words, why=learned.why, metrics=finite, fingerprint=data.fingerprint)
    said = {name: str(getattr(settings, name)) for name in ("train", "test", "purpose", "least")}
    return Evidence(
        params={**said, **{name: str(value) for name, value in learned.parameters.items()}},
        metrics={
            **finite,
            **{f"fold_{name}": value for name, value in learned.folds.items() if np.isfinite(value)},
            "train_rows": float(kept.train_rows),
            "test_rows": float(data.test.sum()),
            "kilobytes": len(model.encoded()) / 1024,
        },
        files={
            MODEL: model.encoded(),
            LEARNED: msgspec.json.format(msgspec.json.encode(kept), indent=1),
            CARD: _card(kept, learned, data, settings).encode(),
        },
        columns=("text",),
        model=None,
        requirements=(),
        source=MODEL,
    )


def _card(kept: _Kept, learned: Learned, data: Rated, settings: Emotion) -> str:
    """The same model, the same card. It names no customer and quotes no text."""
    lines = [
        f"# Model card: {EMOTION}",
        "",
        "How a customer feels, from -1 (badly) to 1 (well), by what they write; learned from texts that came with a rating.",
        "",
        f"Customers' words are read by {kept.reads}: {kept.why}.",
        "",
        f"- learned from: {kept.train_rows:,} texts, {settings.train.start} until {settings.train.until}",
        f"- tested on: {int(data.test.sum()):,} texts, {settings.test.start} until {settings.test.until}",
        *(f"- {what}: {count:,}" for what, count in data.counted.items()),
        "",
        "## How well",
        "",
        "On the test, with 95% intervals (paired bootstrap over customers).",
        "",
        "| metric | value | 95% interval |",
        "|---|---|---|",
    ]
    for one in kept.evaluation.metrics if kept.evaluation else ():
        lines.append(f"| {one.name} | {one.value:.4f} | {one.low:.4f} to {one.high:.4f} |")
    if learned.words is not None:
        ranked = sorted(zip(learned.words.weights, learned.words.vocabulary, strict=True))
        lines += [
            "",
            "## What it looks at",
            "",
            f"Terms that at least {FEWEST_CUSTOMERS} customers used, so that none of them can be told by it.",
            f"Worst: {', '.join(term for _, term in ranked[:_SHOWN])}.",
            f"Best: {', '.join(term for _, term in ranked[: -_SHOWN - 1 : -1])}.",
        ]
    lines += [
        "",
        "## What it is not for",
        "",
        "Who rates is not everybody who writes. It tells a mood for the days after, and judges no person and no colleague.",
        "",
    ]
    return "\n".join(lines)


def _code() -> str:
    files = [_HERE.parent / "features" / f"{name}.py" for name in ("english", "text_emotion", "word_model")]
    files += [_HERE / f"{name}.py" for name in ("emotion", "measured", "rated", "word_learning")]
    return _digest(*(file.read_bytes() for file in files))


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]
