"""Worlds without drift raise few alarms; what is planted is found, and stands first."""

from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from measure.drift import report
from measure.drift_page import page
from measure.drift_report import WORST_FIRST, DriftReport, Finding
from tests.measure.drift_worlds import World

CHANCE = ("feature", "prediction", "choice", "calibration")


def alarms(found: DriftReport) -> Sequence[Finding]:
    return [one for one in found.findings if one.kind in CHANCE and one.verdict in ("retrain", "watch")]


def finding(found: DriftReport, subject: str) -> Finding:
    return next(one for one in found.findings if one.subject == subject)


def test_worlds_without_drift_raise_few_alarms() -> None:
    """Of 40 small worlds one in twenty may. Of 1,000 worlds of four sizes 8 had one: 0.8%, with 95% 0.4% to 1.6%."""
    found = [report(World(seed=seed, customers=200, decisions=250).watching()) for seed in range(40)]
    assert sum(bool(alarms(one)) for one in found) <= 4
    assert sum(one.verdict == "ok" for one in found) >= 36


@pytest.mark.parametrize(
    ("planted", "kind", "subject"),
    [
        ({"spend": 3.0}, "feature", "spend_3"),
        ({"missing": 0.3}, "feature", "orders_2"),
        ({"responses": 0.4, "shows": 1500}, "calibration", "bread"),
        ({"responses": 2.0, "shows": 1500}, "calibration", "bread"),
        ({"new_action": True}, "action", "cheese"),
    ],
    ids=["a feature shifts", "a feature goes missing", "too much is expected", "too little is expected", "a new action"],
)
def test_what_is_planted_stands_first(planted: dict[str, Any], kind: str, subject: str) -> None:
    for seed in range(5):
        found = report(World(seed=seed, **planted).watching())
        first = found.findings[0]
        assert (first.kind, first.verdict) == (kind, "retrain") and subject in first.subject
        assert found.verdict == "retrain" and found.because == f"{first.subject}: {first.reason}"
        # the model as a whole is off where one of its actions is
        assert all(subject in one.subject or one.subject == "preference" for one in alarms(found))


def test_a_shift_of_what_no_model_reads_is_watched() -> None:
    watching = World(seed=1, spend=3.0).watching()
    blind = replace(watching, champion=replace(watching.champion, reads={"preference": ("orders_1",)}))
    found = finding(report(blind), "spend_3")
    assert found.verdict == "watch" and "no model reads it" in found.reason


def test_where_nobody_knows_what_models_read_every_feature_counts() -> None:
    watching = World(seed=1, spend=3.0).watching()
    lost = replace(watching, champion=replace(watching.champion, reads={}, trouble="the file is missing"))
    found = report(lost)
    assert finding(found, "spend_3").verdict == "retrain"
    assert finding(found, f"bundle {'b' * 16}").verdict == "unknown"


def test_too_little_is_told_as_unknown_with_the_number() -> None:
    watching = World(seed=1).watching()
    window = watching.windows.reference
    other = window.defined.copy()
    other[50:, 0] = False
    other[:, 1] = False
    changed = replace(watching, windows=replace(watching.windows, reference=replace(window, defined=other)))
    found = report(changed)
    assert finding(found, "spend_0").verdict == "unknown" and "50 decisions before" in finding(found, "spend_0").reason
    assert "it meant something else" in finding(found, "spend_1").reason
    assert found.verdict == "ok"


def test_customers_are_counted_and_not_only_their_decisions() -> None:
    found = report(World(seed=1, customers=30).watching())
    assert finding(found, "spend_0").verdict == "unknown" and "customers before" in finding(found, "spend_0").reason


def test_a_constant_and_what_is_never_known_are_told_as_such() -> None:
    found = report(World(seed=1).watching())
    assert finding(found, "always").reason.startswith("the same in every decision")
    assert finding(found, "never").reason.startswith("missing in every decision")


def test_actions_that_never_come_up_are_told_and_those_that_wait_are_not() -> None:
    watching = World(seed=1).watching()
    bread, fruit, care = watching.actions
    actions = [bread, replace(fruit, model=None), replace(care, waits=True), replace(bread, name="gone", over=True)]
    actions += [replace(bread, name="doubted", expected=0.5, shows=3)]
    offered = watching.windows.offered
    possible = {("bread", "app"): 700, ("doubted", "app"): 400}
    weighed = {(one.name, "app"): 800 for one in actions}
    counted = replace(offered, possible=possible, weighed=weighed, chosen={("doubted", "app"): 3})
    found = report(replace(watching, actions=actions, windows=replace(watching.windows, offered=counted)))
    said = {one.subject: one for one in found.findings if one.kind == "action"}
    assert said["fruit"].verdict == "watch" and "never a candidate in 800 decisions" in said["fruit"].reason
    assert said["bread"].verdict == "watch" and "never chosen, though 700" in said["bread"].reason
    assert said["doubted"].verdict == "watch" and "too little evidence: 3 shows" in said["doubted"].reason
    assert said["care"].verdict == "ok" and "gone" not in said


def test_contexts_without_candidates_are_told() -> None:
    watching = World(seed=1).watching()
    offered = replace(
        watching.windows.offered,
        contexts={("app", "active"): 700, ("app", "lapsed"): 90, ("app", "prospect"): 10},
        empty={("app", "lapsed"): 80, ("app", "prospect"): 10},
        kinds={("app", "nothing"): 240, ("app", "wait"): 80},
    )
    found = report(replace(watching, windows=replace(watching.windows, offered=offered)))
    assert finding(found, "app, lapsed").verdict == "watch" and "88.9% of 90" in finding(found, "app, lapsed").reason
    assert finding(found, "app, active").verdict == "ok"
    assert not [one for one in found.findings if one.subject == "app, prospect"]
    assert "30.0% chose nothing and 10.0% waited" in finding(found, "app").reason


def test_the_champions_age_counts_against_what_its_features_remember() -> None:
    watching = World(seed=1).watching()
    champion = watching.champion
    name = f"bundle {champion.bundle}"
    assert finding(report(watching), name).verdict == "ok"
    old = replace(champion, began=watching.now - 4 * (watching.now - champion.began))
    assert finding(report(replace(watching, champion=old)), name).verdict == "watch"
    behind = replace(champion, promoted="c" * 16)
    assert "is promoted, but the newest decision" in finding(report(replace(watching, champion=behind)), name).reason
    none = replace(champion, bundle=None, began=None, reads={})
    assert "kairos train" in finding(report(replace(watching, champion=none)), "bundle none").reason


def test_findings_stand_worst_first_and_read_as_lines() -> None:
    found = report(World(seed=2, spend=2.0, responses=0.4, new_action=True).watching())
    ranks = [WORST_FIRST.index(one.verdict) for one in found.findings]
    assert ranks == sorted(ranks)
    lines = found.lines()
    assert lines[0].startswith("verdict   retrain") and any("more that are ok" in line for line in lines) == (len(ranks) > 40)


class _Whole(HTMLParser):
    """Counts what a page is made of, and what it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]


def test_the_page_fetches_nothing_and_names_are_text_in_it() -> None:
    watching = World(seed=2, spend=3.0).watching()
    action = replace(watching.actions[0], name="<script>alert(1)</script>")
    text = page(report(replace(watching, actions=[*watching.actions, action])))
    read = _Whole()
    read.feed(text)
    assert read.tags.count("svg") == 3 and "script" not in read.tags and not read.fetched
    assert "&lt;script&gt;alert(1)" in text
