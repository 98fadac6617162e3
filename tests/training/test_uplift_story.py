"""From a log with a control group to the model that a server reads: what a message changes, learned from live decisions."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from features import bundle, offline
from features.log import Record
from tests.training.worlds import NOW, decided, midnight, offer, open_log, order, outcome, record, workspace
from training import dataset, experiment
from training.dataset import Dataset
from training.evidence import evidence
from training.learn import learn
from training.report import BUNDLE
from training.settings import FILE, Models, Uplift

_MODELS = """
uplift:
  touchpoint: mailer
  event: Order Completed
  window: 10d
  train: {from: 2017-03-01, until: 2017-07-01}
  test: {from: 2017-07-01, until: 2017-11-01}
  folds: [2017-04-01, 2017-05-01]
  customer: [orders_30d, spend_90d]
  action: {topic: {}}
  cross: {spend_topic: {pick: "spend_90d_{topic}"}}
  parameters: {num_iterations: 40, num_leaves: 4, min_data_in_leaf: 20}
"""


def _history(customers: int = 300, seed: int = 3) -> Iterator[Record]:
    """Customers who buy bakery come because of a message about it, the others are not moved; a third gets none, by chance."""
    random = np.random.default_rng(seed)
    start = datetime(2017, 2, 1, 9, tzinfo=UTC)
    for number in range(customers):
        who, likes = f"c{number}", int(number % 2)
        for visit in range(random.integers(2, 5)):
            at = start + timedelta(days=float(random.uniform(0, 25)))
            yield order(f"first-{who}-{visit}", who, at, topic=likes, total=20.0)
        left = number % 3 == 0
        for month in range(3, 9):
            at = datetime(2017, month, 3, tzinfo=UTC) + timedelta(hours=number % 24)
            name, topic = f"d{month}-{who}", ("bakery", "produce")[int(random.random() < 0.5)]
            offers = [] if left else [offer(f"a:{topic}", "a", topic, at, at + timedelta(days=20))]
            group = "control" if left else "treatment"
            body = decided(name, at, offers, origin="live", group=group, customer_id=who)
            yield record("decision", name, who, at, None, body)
            if not left:
                yield outcome(f"{name}-shown", name, who, f"a:{topic}", at + timedelta(hours=1), kind="shown")
            moved = not left and likes == 0 and topic == "bakery"
            if random.random() < (0.65 if moved else 0.2):
                later = at + timedelta(days=float(random.uniform(0.1, 9)))
                yield order(f"{name}-order", who, later, topic=likes, total=20.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dataset, Uplift, Path]]:
    brand = workspace(tmp_path_factory.mktemp("experiment"), models=_MODELS)
    log = open_log(brand.data, sorted(_history(), key=lambda one: one.known_time))
    offline.build(brand, log)
    settings = brand.read(FILE, Models).uplift
    assert settings is not None
    found = experiment.uplift(log, settings, midnight=midnight, now=NOW)
    yield dataset.build(brand, found, dataset.row_of(settings), model="uplift"), settings, brand.path
    log.close()


def test_the_log_teaches_whom_which_message_moves(made):
    data, settings, _ = made
    assert data.treated is not None

    fitted = learn(data, settings)
    with_it, without = fitted.answer.probabilities(fitted.raw(data.matrix[data.test]))
    likes = np.array([int(who[1:]) % 2 == 0 for who in data.customers])[data.test]
    bakery = data.matrix[data.test, data.row.names.index("topic")] == 0

    assert fitted.fallback is None
    assert data.treated.mean() == pytest.approx(2 / 3, abs=0.01)
    effect = with_it - without
    assert effect[likes & bakery].mean() == pytest.approx(0.45, abs=0.15)
    assert abs(effect[~(likes & bakery)].mean()) < 0.1


def test_its_bundle_holds_what_the_server_needs(made):
    data, settings, path = made
    brand = workspace(path, models=_MODELS)

    learned, left = evidence("uplift", data, learn(data, settings), settings, brand.profile)

    assert learned.evaluation["qini"].low > 0
    name = next(file.split("/")[2] for file in left.files if file.startswith(BUNDLE))
    for file, content in left.files.items():
        if file.startswith(BUNDLE):
            (path / name).mkdir(exist_ok=True)
            (path / name / file.rsplit("/", 1)[-1]).write_bytes(content)
    served = bundle.read(path, name).models["uplift"]
    assert served.answer == learned.answer
    assert served.row.names == ("orders_30d", "spend_90d", "topic", "spend_topic")
