"""The model of customers' words: learned from rated feedback, held against the lexicon, promoted, and used by the server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from features import bundle, text_emotion
from features.hearing import CurrentReading, Hearing
from features.log import Log, Record
from features.workspace import Workspace
from tests.training.feedback import EVENT, feedback
from tests.training.worlds import NOW, open_log, workspace
from training import word_learning
from training.errors import TrainingError
from training.gates import Rules, read_rules
from training.promote import models_folder, promote
from training.rated import Rated, rated
from training.registry import Registry
from training.report import TrainReport
from training.settings import FILE, Models
from training.train import train

BRAND = f"""
name: Test
currency: USD
time_zone: UTC
locale: en-US
purposes: {{personalisation: {{default: true, says: x}}, service: {{default: true, says: y}}}}
signals: {{{EVENT}: {{rating: rating}}}}
words: {{{EVENT}: comment}}
"""
MODELS = """
emotion:
  train: {from: 2017-01-01, until: 2017-08-01}
  test: {from: 2017-08-01, until: 2017-11-01}
  purpose: personalisation
"""
RULES = """
experiment: kairos
alias: champion
models:
  emotion: {registered_as: test-emotion, gates: {gain_over_lexicon: {at_least: 0}}}
"""


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def brand_of(folder: Path) -> tuple[Workspace, Rules]:
    made = workspace(folder, brand=BRAND, models=MODELS)
    (folder / "registry.yaml").write_text(RULES)
    return made, read_rules(folder / "registry.yaml")


def data_of(records: list[Record]) -> Rated:
    said = [record.body["properties"] for record in records]
    return Rated(
        customers=[str(record.customer_id) for record in records],
        texts=[one["comment"] for one in said],
        valence=np.array([(one["rating"] - 3) / 2 for one in said]),
        test=np.arange(len(said)) >= 0.7 * len(said),
        fingerprint="",
        test_fingerprint="",
        counted={},
    )


@pytest.fixture(scope="module")
def rich() -> Rated:
    """Two thousand rated texts, with words that the lexicon does not know."""
    return data_of(feedback(count=2_000, seed=1, customers=900))


@pytest.fixture(scope="module")
def learned(rich: Rated) -> word_learning.Learned:
    return word_learning.learn(rich, least=200)


# ------------------------------------------------------------------------------------------------------------------ learning


def test_words_of_the_shops_own_are_learned_and_read_better_than_the_lexicon_on_later_texts(rich, learned):
    assert learned.words is not None
    found = word_learning.evaluate(rich, learned.words)

    assert found["gain_over_lexicon"].low > 0.03
    assert 0.4 < found["rank_correlation"].value < 0.75
    assert learned.words.feeling("soggy bags, two items short").valence < -0.3
    assert text_emotion.feeling("soggy bags, two items short").intensity == 0


@pytest.mark.parametrize("parts", [False, True])
def test_the_arrays_say_what_sklearn_says(rich, parts):
    customers, texts, seen = rich.of(np.flatnonzero(~rich.test))
    vectors, ridge, _ = word_learning.estimators(customers, texts, seen, alpha=1.0, parts=parts)
    words = word_learning.fit(customers, texts, seen, alpha=1.0, parts=parts)
    asked = [*rich.of(np.flatnonzero(rich.test))[1], "", "Nothing known", "great great GREAT service!!! 😡 don’t"]

    assert np.abs([words.valence(text) for text in asked] - ridge.predict(vectors.transform(asked))).max() < 1e-9


def test_no_term_is_of_fewer_than_ten_customers_however_often_one_of_them_writes_it(rich):
    customers, texts, seen = rich.of(np.flatnonzero(~rich.test))
    secret = "zanzibar my dog rex"
    others = sorted(set(customers))
    texts = [f"{text} {secret}" if customer in others[:9] else text for customer, text in zip(customers, texts, strict=True)]
    assert sum(secret in text for text in texts) > 9
    words = word_learning.fit(customers, texts, seen, alpha=1.0, parts=True)
    assert not [term for term in words.vocabulary if "rex" in term or "zanz" in term]

    texts = [f"{text} {secret}" if customer in others[9:10] else text for customer, text in zip(customers, texts, strict=True)]
    assert "zanzibar" in word_learning.fit(customers, texts, seen, alpha=1.0, parts=True).vocabulary


def test_where_the_lexicon_knows_all_the_words_it_stays_and_says_why():
    found = word_learning.learn(data_of(feedback(count=900, seed=2, own=0.0)), least=200)

    assert found.words is None
    assert "not shown to be better" in found.why


def test_ratings_that_have_nothing_to_do_with_the_words_teach_nothing(rich):
    random = np.random.default_rng(5)
    passed = [
        word_learning.learn(replace(rich, valence=random.permutation(rich.valence)), least=200).words is not None
        for _ in range(4)
    ]
    assert not any(passed)


def test_what_is_learned_does_not_depend_on_the_test(rich, learned):
    changed = np.where(rich.test, -rich.valence, rich.valence)
    texts = [f"changed {text}" if late else text for text, late in zip(rich.texts, rich.test, strict=True)]

    assert word_learning.learn(replace(rich, valence=changed, texts=texts), least=200) == learned


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"count": 200}, "140 rated texts to learn from and 60 to test on; 200 and 50 are needed"),
        ({"count": 400, "customers": 9}, "too few words were used by 10 customers or more"),
    ],
)
def test_too_little_to_learn_from_leaves_the_lexicon_and_says_what_is_missing(changed, why):
    assert word_learning.learn(data_of(feedback(seed=3, **changed)), least=200).why == why


def test_ratings_that_are_all_the_same_leave_the_lexicon(rich):
    found = word_learning.learn(replace(rich, valence=np.ones(len(rich.texts))), least=200)

    assert found.words is None
    assert word_learning.evaluate(replace(rich, valence=np.ones(len(rich.texts))), None) is None
    assert "same rating" in found.why


# ------------------------------------------------------------------------------------------------------------------ the story


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Rules, Log]]:
    place, rules = brand_of(tmp_path_factory.mktemp("brand"))
    log = open_log(place.data, feedback(count=2_000, seed=1, customers=900))
    yield place, rules, log
    log.close()


@pytest.fixture(scope="module")
def trained(shop: tuple[Workspace, Rules, Log]) -> TrainReport:
    place, rules, log = shop
    return train(place, log, now=NOW, rules=rules)


def test_a_run_holds_metrics_with_intervals_the_model_and_a_card_that_quotes_nobody(shop, trained, tmp_path):
    place, rules, _ = shop
    store = Registry(place.data, experiment=rules.experiment)
    run_id = trained.emotion.version.run_id

    assert {"gain_over_lexicon_low", "rank_correlation_high", "fold_gain_low", "kilobytes"} <= set(store.metrics(run_id))
    assert store.tags(run_id)["kairos.test_reading"] == "1"
    card = store.fetch(run_id, "model_card.md", tmp_path).read_text()
    assert "at least 10 customers" in card
    assert any("words are read by a model of" in line for line in trained.lines())


def test_training_the_same_again_adds_nothing(shop, trained):
    place, rules, log = shop
    again = train(place, log, now=NOW, rules=rules)

    assert again.emotion == replace(trained.emotion, reused=True)


def test_a_promoted_model_reads_what_comes_in_and_what_was_read_before_stays(shop, trained):
    place, rules, _ = shop
    hear = Hearing(place.brand.words, CurrentReading(models_folder(place)))
    [before] = hear([one for one in feedback(count=400, seed=9) if "great service" in str(one.body)][:1])

    report = promote(place, rules=rules)
    model = bundle.read(models_folder(place), report.bundle).emotion
    [after] = hear([replace(before, payload=before.payload[: before.payload.index(b',"felt":')] + b"}")])

    assert before.body["felt"]["by"] == text_emotion.NAME
    assert after.body["felt"]["by"] == model.hash
    assert [one.version.name for one in report.models] == ["test-emotion"]


def test_who_withdraws_teaches_nothing_from_the_next_training_on(shop):
    place, _, log = shop
    settings = place.read(FILE, Models).emotion
    before = rated(log, place, settings, now=NOW)
    who = before.customers[0]
    said = {"customer_id": who, "purpose": "personalisation", "granted": False, "source": "app"}
    times = {"event_time": NOW, "known_time": NOW}
    log.append([Record(kind="consent", message_id="no", customer_id=who, payload=msgspec.json.encode(said), **times)])
    after = rated(log, place, settings, now=NOW)

    assert who not in after.customers
    assert after.counted == {"texts of customers who do not agree to personalisation": before.customers.count(who)}


def test_what_cannot_be_learned_from_is_refused_with_the_cure(shop):
    place, _, log = shop
    settings = place.read(FILE, Models).emotion

    with pytest.raises(TrainingError, match=r"unknown purpose 'sales'; brand\.yaml has personalisation, service"):
        rated(log, place, replace(settings, purpose="sales"), now=NOW)
    with pytest.raises(TrainingError, match="not over"):
        rated(log, place, settings, now=NOW.replace(month=10))
