from dataclasses import replace

import pytest

from tests.training.test_learn import _dataset, _settings
from training.errors import TrainingError
from training.learn import learn
from training.parameters import Parameters, Search
from training.search import found


def _losing(parameters: Parameters) -> float:
    """As if trees of 5 leaves and a rate of .05 were best."""
    return (parameters.num_leaves - 5) ** 2 + (100 * (parameters.learning_rate - 0.05)) ** 2


def test_a_search_finds_what_loses_less_and_says_how_long_it_took():
    best, said = found(Parameters(num_leaves=16), Search(trials=15), _losing)

    assert _losing(best) == said["loss"] < said["loss_before"] == _losing(Parameters(num_leaves=16))
    assert said["trials"] == 15


def test_nothing_worse_than_what_was_there_is_found():
    start = Parameters(num_leaves=5, learning_rate=0.05)

    assert found(start, Search(trials=5), _losing)[0] == start


def test_the_same_seed_finds_the_same():
    start = Parameters(num_leaves=16)

    assert found(start, Search(trials=8), _losing) == found(start, Search(trials=8), _losing)
    assert found(replace(start, seed=8), Search(trials=8), _losing) != found(start, Search(trials=8), _losing)


def test_seconds_end_it_too():
    tried: list[Parameters] = []

    found(Parameters(), Search(trials=10_000, seconds=0.05), lambda one: tried.append(one) or 0.0)

    assert len(tried) < 10_000


def test_what_is_found_is_what_the_model_learns_by_and_the_test_has_no_say():
    data = _dataset()
    settings = _settings(search=Search(trials=3))
    flipped = replace(data, labels=(data.labels ^ data.test.astype("uint8")))

    fitted = learn(data, settings)

    assert fitted.searched["trials"] == 3
    assert fitted.searched["loss"] <= fitted.searched["loss_before"]
    assert fitted.folds["log_loss"] == fitted.searched["loss"]
    assert learn(flipped, settings) == fitted
    assert learn(data, replace(settings, search=None, parameters=fitted.parameters)).forests == fitted.forests


def test_a_search_without_rows_held_out_is_refused():
    data = _dataset()

    with pytest.raises(TrainingError, match="held out in time"):
        learn(replace(data, closes_us=data.closes_us * 1000), _settings(search=Search(trials=2)))
