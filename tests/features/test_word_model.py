"""A model of words: plain arrays that say what the library said that they were learned with."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.customer import FeatureIndex
from features import bundle, text_emotion
from features.bundle import BundleError
from features.hearing import CurrentReading
from features.word_model import TextModel, WordModel, terms

SMALL = WordModel(
    vocabulary=("bad", "good", "very good"),
    idf=(1.0, 1.0, 2.0),
    weights=(-1.0, 0.5, 0.75),
    intercept=0.1,
    parts=False,
    reliability=0.8,
    customers=10,
)


def test_the_valence_is_the_weighted_mean_of_terms_scaled_to_length_one():
    # idf 1 and 2: (1, 2) / sqrt(5)
    assert SMALL.valence("Very good!") == pytest.approx(0.1 + (0.5 * 1 + 0.75 * 2) / np.sqrt(5))
    assert SMALL.valence("") == 0.1


def test_a_text_without_a_known_word_says_nothing_and_half_known_is_half_as_sure():
    assert SMALL.feeling("milk").confidence == SMALL.feeling("milk").intensity == 0
    assert SMALL.feeling("bad milk").confidence == pytest.approx(0.4)
    assert SMALL.feeling("bad").valence == pytest.approx(-0.9)


@given(st.text(max_size=300), st.booleans())
def test_any_text_is_read(text, parts):
    found = replace(SMALL, parts=parts).feeling(text)
    assert -1 <= found.valence <= 1 and 0 <= found.confidence <= 0.8


@pytest.mark.parametrize("text", ["a" * 10_000_000, "good " * 2_000_000, "!?" * 5_000_000, "\ud800\udfff"])
def test_ten_megabytes_have_no_more_terms_than_the_longest_text(text):
    assert len(terms(text, parts=True)) < 100_000


@pytest.mark.parametrize(
    "wrong",
    [{"idf": (1.0,)}, {"customers": 9}, {"vocabulary": ("good", "bad", "very good")}, {"intercept": float("nan")}],
)
def test_arrays_that_do_not_fit_and_words_of_too_few_customers_are_refused(wrong):
    with pytest.raises(ValueError, match="no model of words"):
        replace(SMALL, **wrong)


def test_a_model_comes_back_as_it_was_kept_and_its_hash_names_it():
    kept = TextModel(words=SMALL, why="better", metrics={"gain_over_lexicon": 0.1}, fingerprint="f")

    assert TextModel.decoded(kept.encoded()) == kept
    assert TextModel.decoded(kept.encoded()).hash == kept.hash
    assert replace(kept, words=None).hash != kept.hash


def test_words_are_read_by_the_bundle_that_the_pointer_names_and_by_the_lexicon_without_one(tmp_path: Path):
    reading, model = CurrentReading(tmp_path), TextModel(words=SMALL, why="better")
    assert reading()[0] == text_emotion.NAME

    made = bundle.bundled([], FeatureIndex(()), (), emotion=model)
    bundle.write(made, tmp_path)
    bundle.switch(tmp_path, made.hash)
    name, read = reading()
    assert (name, read("bad")) == (model.hash, SMALL.feeling("bad"))

    plain = bundle.bundled([], FeatureIndex(()), (), emotion=TextModel(words=None, why="not better"))
    bundle.write(plain, tmp_path)
    bundle.switch(tmp_path, plain.hash)
    assert reading()[0] == text_emotion.NAME


@pytest.mark.parametrize("content", [b"{}", b'{"form": 9}', None])
def test_a_model_of_words_that_was_changed_is_refused_and_what_read_before_goes_on(tmp_path: Path, content: bytes | None):
    first = bundle.bundled([], FeatureIndex(()), (), emotion=TextModel(words=SMALL, why="better"))
    second = bundle.bundled([], FeatureIndex(()), (), emotion=TextModel(words=replace(SMALL, intercept=0.2), why="better"))
    for one in (first, second):
        bundle.write(one, tmp_path)
    bundle.switch(tmp_path, first.hash)
    reading = CurrentReading(tmp_path)
    before = reading()

    file = tmp_path / second.hash / "emotion.json"
    file.write_bytes((tmp_path / first.hash / "emotion.json").read_bytes() if content is None else content)
    bundle.switch(tmp_path, second.hash)

    with pytest.raises(BundleError):
        bundle.read(tmp_path, second.hash)
    assert reading() == before


def test_what_reads_words_for_a_server_loads_neither_sklearn_nor_mlflow():
    code = (
        "import sys, features.hearing, features.word_model\n"
        "print([name for name in ('sklearn', 'mlflow', 'polars') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
