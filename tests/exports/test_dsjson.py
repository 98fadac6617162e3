"""Vowpal Wabbit reads what is written for it, and learns from it."""

import json

import numpy as np
from vowpalwabbit import Workspace

from features.exports.choices import CONTROL, IMPORTED, OPEN
from tests.exports.brand import SECRET, Exporting

WHOLE = 2**40


def test_vowpal_wabbit_learns_from_every_line(brand: Exporting) -> None:
    out, report = brand.export("dsjson", "log.json")
    lines = out.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(brand.chosen_from()) == report.files[str(out)]
    learner = Workspace(f"--dsjson --cb_explore_adf --strict_parse -q ca --data {out} --quiet")
    assert learner.get_weighted_examples() == len(lines)
    # its loss is the inverse propensity estimate of the cost, which lies below 0 where successes were found
    assert learner.get_sum_loss() < 0
    learner.finish()


def test_a_line_tells_the_choice_with_its_probabilities_and_cost(brand: Exporting) -> None:
    out, _ = brand.export("dsjson", "log.json", keep_ids=True)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    taken = 0
    for line, record in zip(lines, brand.chosen_from(), strict=True):
        body, actions = record.body, line["c"]["_multi"]
        assert line["EventId"] == record.message_id
        assert sum(line["p"]) == 1.0 and min(line["p"][:1]) > 0
        assert sorted(line["a"]) == list(range(1, len(actions) + 1))
        assert line["a"][0] == line["_label_Action"] == line["_labelIndex"] + 1
        assert line["p"][0] == line["_label_probability"] == body["results"][0]["units"] / WHOLE
        name = actions[line["_labelIndex"]]["action"]["name"]
        assert name == body["results"][0].get("action", "nothing")
        taken -= line["_label_cost"]
        assert line["c"]["place"] == {"touchpoint": body["touchpoint"], "journey_stage": "active"}
        assert actions[-1] == {"action": {"name": "nothing"}}
    shows = sum(record.body["results"][0]["kind"] == "action" for record in brand.chosen_from())
    assert 0.15 < taken / shows < 0.35
    bread = next(one["action"] for line in lines for one in line["c"]["_multi"] if one["action"]["name"] == "bread")
    assert bread == {"name": "bread", "group": "offers", "job": "sell", "value": 10.0, "topic_bakery": 1, "feature_coupons": 2}


def test_what_is_no_choice_is_left_out_and_counted(brand: Exporting) -> None:
    _, report = brand.export("dsjson", "log.json")
    control = sum(record.body["group"] == "control" for record in brand.decisions)
    assert report.left_out == {IMPORTED: 1, CONTROL: control, OPEN: 1}
    assert f"left out  1 {IMPORTED}" in report.lines()


def test_nobody_is_named_and_nothing_sensitive_told(brand: Exporting) -> None:
    out, report = brand.export("dsjson", "log.json")
    text = out.read_text(encoding="utf-8")
    assert report.pseudonymous and "ids are pseudonyms" in report.lines()[0]
    assert not any(word in text for word in ("=c1", "d-=c", SECRET, "often", "title"))
    events = [json.loads(line)["EventId"] for line in text.splitlines()]
    assert len(set(events)) == len(events) and all(len(event) == 32 for event in events)
    again, _ = brand.export("dsjson", "again.json")
    assert again.read_bytes() == out.read_bytes()


def test_the_probabilities_are_those_of_the_units(brand: Exporting) -> None:
    out, _ = brand.export("dsjson", "log.json")
    line, record = json.loads(out.read_text(encoding="utf-8").splitlines()[0]), brand.chosen_from()[0]
    in_order = [line["p"][line["a"].index(at)] for at in range(1, len(line["a"]) + 1)]
    units = record.body["units"]
    np.testing.assert_array_equal(in_order, [one / WHOLE for one in (*(unit for unit in units[:-1] if unit), units[-1])])
