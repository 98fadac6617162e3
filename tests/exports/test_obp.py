"""The Open Bandit Pipeline's arrays."""

import numpy as np
import pytest

from decisioning.errors import KairosError
from features.exports import obp
from tests.exports.brand import SECRET, Exporting


def read(brand: Exporting) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    out, _ = brand.export("obp", "log.npz")
    with np.load(out, allow_pickle=False) as found:
        return dict(found)


def test_the_arrays_have_the_names_shapes_and_kinds_that_the_pipeline_checks(brand: Exporting) -> None:
    """As `obp.utils.check_bandit_feedback_inputs` asks of them."""
    found, rounds = read(brand), len(brand.chosen_from())
    assert (int(found["n_rounds"]), int(found["n_actions"])) == (rounds, 3)
    assert found["context"].ndim == found["action_context"].ndim == 2
    assert found["context"].shape == (rounds, len(found["context_name"]))
    assert found["action_context"].shape == (3, len(found["action_context_name"]))
    for name in ("action", "position", "reward", "pscore"):
        assert found[name].shape == (rounds,)
    assert np.issubdtype(found["action"].dtype, np.integer)
    assert set(found["action"].tolist()) == {0, 1, 2}
    assert (found["position"] == 0).all()
    pscore = found["pscore"].astype(np.float64)
    assert ((pscore > 0) & (pscore <= 1)).all()
    assert np.isfinite(found["context"].astype(np.float64)).all()


def test_each_round_is_the_choice_of_a_decision(brand: Exporting) -> None:
    found = read(brand)
    names = found["action_name"].tolist()
    assert names[0] == "nothing" and sorted(names[1:]) == ["bread", "points"]
    for row, record in enumerate(brand.chosen_from()):
        first = record.body["results"][0]
        assert names[int(found["action"][row])] == first.get("action", "nothing")
        assert float(found["pscore"][row]) == first["units"] / 2**40
    columns = found["context_name"].tolist()
    orders = found["context"][:, columns.index("orders_30d")].astype(np.float64)
    # of 300 decisions every fourth customer has as many orders; none of the sensitive features is told
    assert set(orders.tolist()) == {0.0, 1.0, 2.0, 3.0}
    assert not any("often" in name for name in columns)
    known = found["context"][:, columns.index("known:spend_90d")].astype(np.float64)
    assert not known.any()
    bread = found["action_context"][names.index("bread")].astype(np.float64).tolist()
    assert dict(zip(found["action_context_name"].tolist(), bread, strict=True)) == {
        "value": 10.0, "nothing": 0.0, "topic:bakery": 1.0, "topic:produce": 0.0,
    }  # fmt: skip


def test_inverse_propensity_finds_the_value_of_what_was_done(brand: Exporting) -> None:
    """Of the logging policy itself the weights are 1: the estimate is the mean reward."""
    found = read(brand)
    reward = found["reward"].astype(np.float64)
    shows = (found["action"].astype(np.int64) > 0).mean()
    assert reward.mean() == pytest.approx(0.25 * shows, abs=0.08)
    assert set(reward.tolist()) == {0.0, 1.0}


def test_no_word_of_anybody_is_in_it(brand: Exporting) -> None:
    out, _ = brand.export("obp", "log.npz")
    with np.load(out, allow_pickle=False) as found:
        text = " ".join(str(value) for name in found.files for value in found[name].ravel().tolist() if isinstance(value, str))
    assert SECRET not in text and "=c" not in text
    assert set(found.files) == {
        "n_rounds", "n_actions", "context", "action", "position", "reward", "pscore", "action_context",
        "action_name", "context_name", "action_context_name",
    }  # fmt: skip
    assert all(f"| {name}" in str(obp.__doc__) or f", {name}" in str(obp.__doc__) for name in found.files)


def test_an_empty_log_gives_empty_arrays(brand: Exporting) -> None:
    out = brand.folder / "empty.npz"
    assert obp.write([], out, index=brand.book.profile.index, topics=("bakery",)) == 0
    with np.load(out, allow_pickle=False) as found:
        assert found["context"].shape[0] == found["action"].shape[0] == 0


def test_another_ending_and_a_folder_that_is_none_are_refused(brand: Exporting) -> None:
    with pytest.raises(KairosError, match=r"ends in \.npz"):
        brand.export("obp", "log.csv")
    with pytest.raises(KairosError, match="name a file in a folder of yours"):
        brand.export("obp", "nowhere/log.npz")
