import json
from pathlib import Path
from typing import Any

import pytest

from features import bundle
from features.answers import Answer, Response, Uplift, Value
from features.bundle import BundledModel, BundleError
from features.calibration import Calibration, Isotonic, Platt
from features.line import NO_CODE, Line, Numbers
from features.rows import Column, RowSpec
from tests.features.worlds import PROFILE, RICH, spec

TOPICS = ("bakery", "produce")


LINE = Line(
    customer=Numbers(columns=(0, 0), codes=(0, 1), mean=(0.0, 0.0), spread=(1.0, 1.0)),
    message=Numbers(columns=(2,), codes=(NO_CODE,), mean=(0.1 + 0.2,), spread=(1 / 3,)),
    pairs=True,
    each=False,
    middle=(0.25,),
    weights=(-1.1, 0.1, 1e-17, 0.3, 0.2, 0.0, -0.2, 1 / 7, 0.5),
)


def _response(calibration: Calibration) -> Response:
    return Response(about="offer", calibration=calibration)


def _model(name: str = "preference", **changes: Any) -> BundledModel:
    given: dict[str, Any] = {
        "name": name,
        "forests": {"response": "tree\nversion=v4\r\nend of trees\n"},
        "row": RowSpec(
            (
                Column(name="orders", side="customer", of="orders_30d"),
                Column(name="kind", side="action", of="kind", labels=("A", "B")),
                Column(name="share", side="cross", pick="spend_90d_{topic}", over="spend_30d"),
            )
        ),
        "answer": _response(Platt(a=0.9, b=-0.1)),
        "metrics": {"auc": 0.75},
        "fingerprint": "f1",
    }
    return BundledModel(**(given | changes))


def _bundle(*models: BundledModel) -> bundle.Bundle:
    return bundle.bundled(models or (_model(),), spec().index, TOPICS)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made = _bundle(_model(), _model("churn", row=RowSpec((Column(name="tier", side="customer", of="tier"),))))
    assert bundle.read(tmp_path, bundle.write(made, tmp_path)) == made


def test_every_answer_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    line = Isotonic(scores=(-2.5, 0.1), probabilities=(0.1, 0.30000000000000004))
    answers: list[Answer] = [
        _response(line),
        Uplift(learner="x", treated=line, nothing=Platt(a=1.1), slope=0.7, shift=0.01, share=0.9),
        Uplift(learner="pooled", treated=line, nothing=line, slope=1.0, shift=0.0, share=0.6, line=LINE),
        Value(any=Platt(), scale=1.02, highest=5.5),
    ]
    for answer in answers:
        made = _bundle(_model(answer=answer, forests={name: f"tree {name}" for name in answer.forests}))
        assert bundle.read(tmp_path, bundle.write(made, tmp_path)) == made


def test_a_bundle_of_the_form_before_is_read_and_one_that_was_changed_is_refused(tmp_path: Path) -> None:
    """The file is what the version of form 3 wrote, the name what it called it."""
    place, document = tmp_path / "b104f095076a5b6f", (Path(__file__).parent / "forms" / "bundle_3.json").read_text()
    place.mkdir()
    for forest in ("treated", "nothing"):
        (place / f"uplift.{forest}.txt").write_text(f"tree {forest}")
    (place / "bundle.json").write_text(document)
    read = bundle.read(tmp_path, place.name).models["uplift"]
    assert read.answer == Uplift(learner="t", treated=Platt(a=0.9, b=-0.1), nothing=Platt(), slope=0.7, shift=0.01, share=0.9)
    (place / "bundle.json").write_text(document.replace("0.01", "0.02"))
    with pytest.raises(BundleError, match="changed after training"):
        bundle.read(tmp_path, place.name)


def test_the_hash_names_the_content() -> None:
    assert _bundle().hash == _bundle().hash
    other = [
        _model(forests={"response": "tree"}),
        _model(answer=_response(Platt())),
        _model(fingerprint="f2"),
        _model(metrics={"auc": 0.7}),
    ]
    assert len({_bundle().hash, *(_bundle(one).hash for one in other)}) == 5


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    name = bundle.write(_bundle(), tmp_path)
    before = (tmp_path / name / "bundle.json").stat().st_mtime_ns
    assert bundle.write(_bundle(), tmp_path) == name
    assert (tmp_path / name / "bundle.json").stat().st_mtime_ns == before


def test_a_bundle_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(bundle.os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        bundle.write(_bundle(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["bundle.json", "preference.response.txt"])
def test_a_bundle_that_was_changed_is_refused(tmp_path: Path, file: str) -> None:
    name = bundle.write(_bundle(), tmp_path)
    changed = tmp_path / name / file
    changed.write_bytes(changed.read_bytes().replace(b"orders_30d", b"orders_90d").replace(b"v4", b"v5"))
    with pytest.raises(BundleError, match="changed after training"):
        bundle.read(tmp_path, name)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "preference.response.txt").unlink(), "preference.response.txt: the file is missing"),
        (lambda folder: (folder / "bundle.json").unlink(), "bundle.json: the file is missing"),
        (lambda folder: (folder / "bundle.json").write_text("{"), "not a bundle that this version reads"),
        (
            lambda folder: (folder / "bundle.json").write_text(
                json.dumps({"form": 2, "models": {"preference": {"calibration": {"a": 1.0, "b": 0.0}}}})
            ),
            "a bundle of form 2, this version reads 3 to 4; train again",
        ),
    ],
)
def test_a_bundle_that_cannot_be_read_says_why(tmp_path: Path, spoil: Any, says: str) -> None:
    name = bundle.write(_bundle(), tmp_path)
    spoil(tmp_path / name)
    with pytest.raises(BundleError, match=says):
        bundle.read(tmp_path, name)


def test_the_pointer_names_a_bundle_that_is_there(tmp_path: Path) -> None:
    assert bundle.current(tmp_path) is None
    first, second = bundle.write(_bundle(), tmp_path), bundle.write(_bundle(_model(fingerprint="f2")), tmp_path)
    bundle.switch(tmp_path, first)
    bundle.switch(tmp_path, second)
    assert bundle.current(tmp_path) == second
    with pytest.raises(BundleError, match="no such bundle"):
        bundle.switch(tmp_path, "0" * 16)
    assert bundle.current(tmp_path) == second


def test_a_row_that_needs_what_the_profile_lacks_makes_no_bundle() -> None:
    with pytest.raises(BundleError, match="visits"):
        _bundle(_model(row=RowSpec((Column(name="x", side="customer", of="visits"),))))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("orders_30d:", "orders_31d:", "orders_30d is not in the profile"),
        ("spend_30d: {sum: total, half_life: 30d", "spend_30d: {sum: total, half_life: 15d", "half-life 15 days"),
        ("topics: {bakery: [PASTRY], ", "topics: {", "spend_90d_bakery is not in the profile"),
    ],
)
def test_a_live_profile_that_lacks_or_redefines_a_feature_refuses_the_bundle(before: str, after: str, says: str) -> None:
    assert before in PROFILE
    _bundle().require(spec().index)
    with pytest.raises(BundleError, match=says):
        _bundle().require(spec(PROFILE.replace(before, after)).index)


def _reads(profile: str, *features: str) -> bundle.Bundle:
    row = RowSpec(tuple(Column(name=f"column_{at}", side="customer", of=name) for at, name in enumerate(features)))
    return bundle.bundled([_model(row=row)], spec(profile).index, ())


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        pytest.param("cuts: [100, 500]", "cuts: [100, 900]", "tier was .* cut at 100, 900", id="a cut"),
        pytest.param("points: {sum: total", "points: {sum: discount", "tier was .*sum of discount", id="what is cut"),
        pytest.param("ttl: 60d", "ttl: 61d", "told_effort_rated was .* missing after 61 days", id="a time to live"),
        pytest.param("default: 3, unit", "default: 4, unit", "mean_mailer was .* 4.0 where missing", id="a default"),
        pytest.param("sum: rating, by: touchpoint, on: {event: Satisfaction", "sum: rating, by: touchpoint, on: {event: Effort",
                     "mean_mailer was .*of rating of event:Effort Rated", id="which records"),
        pytest.param("[PRODUCE, FRUIT]", "[PRODUCE]", r"items_produce was .*produce \(PRODUCE\)", id="a topic's departments"),
        pytest.param("column: size", "column: rooms", "members was .*column rooms", id="a column"),
        pytest.param("over: sent}}", "over: taken}}", "eager was .* over ", id="a ratio under a band"),
        pytest.param("app_list: app", "app_list: web", r"clicked_app_mon was .*app \(app_home\)", id="a channel's touchpoints"),
    ],
)  # fmt: skip
def test_whatever_changes_the_number_refuses_the_bundle_that_learned_the_old_one(before: str, after: str, says: str) -> None:
    names = ("tier", "told_effort_rated", "mean_mailer", "items_produce", "members", "eager", "clicked_app_mon")
    learned = _reads(RICH, *names)
    learned.require(spec(RICH).index)
    assert before in RICH
    with pytest.raises(BundleError, match=says):
        learned.require(spec(RICH.replace(before, after)).index)


def test_words_owners_and_bounds_refuse_no_bundle() -> None:
    changed = RICH.replace("says: how often you shop", "max_psi: 0.2, says: your visits").replace(
        "owner: tests", "owner: others"
    )
    assert changed != RICH
    _reads(RICH, "orders_30d", "tier").require(spec(changed).index)


@pytest.mark.parametrize("changes", [{"name": "../x"}, {"metrics": {"auc": float("nan")}}, {"forests": {"any": "tree"}}])
def test_a_model_that_cannot_be_stored_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="model"):
        _model(**changes)
