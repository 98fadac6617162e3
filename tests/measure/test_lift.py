"""Treatment beside control: what is said, and what is refused."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

import numpy as np
import pytest

from measure.lever_cost import Replayed
from measure.lift import lines, report
from measure.lift_report import LiftReport, Line
from tests.measure.trials import SHARES, START, MadeUp, Measured, trial


@dataclass(frozen=True, kw_only=True)
class NoLevers:
    replayed: tuple[Replayed, ...] = ()
    faults: int = 3


def of(found: list[Line], one: str = "treatment", other: str = "control", **about: str) -> Line:
    about = {"split": "all"} | about
    (line,) = (
        line
        for line in found
        if (line.one, line.other) == (one, other) and all(getattr(line, name) == said for name, said in about.items())
    )
    return line


def made(**changes: object) -> MadeUp:
    return replace(trial(np.random.default_rng(1), 20_000, effect=0.3), **changes)  # type: ignore[arg-type]


def test_an_effect_is_seen_and_its_intervals_hold_it() -> None:
    line = of(lines(made()))
    assert line.found is not None
    assert line.verdict == "better"
    assert line.found.always_low < line.found.low < 0.3 < line.found.high < line.found.always_high
    assert line.reduction > 0.2


def test_no_effect_is_told_as_none() -> None:
    told = lines(trial(np.random.default_rng(2), 20_000))
    assert [line.verdict for line in told] == ["no difference seen"] * 3


def test_more_of_what_is_bad_is_worse() -> None:
    whole = made()
    worse = replace(whole, metrics=[Measured(name="complaints", values=whole.metrics[0].values, rises=False)])
    assert of(lines(worse)).verdict == "worse"


def test_random_messages_stand_beside_the_control_group_and_the_choice_beside_both() -> None:
    told = lines(trial(np.random.default_rng(1), 20_000, effect=0.6))
    assert of(told, "random", "control").verdict == "no difference seen"
    assert of(told, "treatment", "random").verdict == "better"


def test_who_still_has_time_does_not_count() -> None:
    whole = made()
    half = replace(whole, closed=np.arange(20_000) < 10_000)
    assert sum(of(lines(half)).sizes) == int((whole.group[:10_000] < 2).sum())


def test_without_a_control_group_the_line_is_refused_with_the_cure() -> None:
    shares = {"treatment": 1.0, "control": 0.0, "random": 0.0}
    told = lines(trial(np.random.default_rng(3), 1_000, shares=shares))
    assert of(told).refused == "policy.yaml declares no control group; write groups: {control: 0.05} and publish it"
    assert all(line.found is None for line in told)


def test_too_few_customers_are_refused() -> None:
    few = of(lines(trial(np.random.default_rng(4), 500)))
    assert few.refused == f"{few.sizes[1]} customers whose time is over, and at least 100 are needed, in control"


def test_a_mean_that_hangs_on_a_few_is_refused() -> None:
    rare = np.zeros(20_000)
    rare[:200] = 5.0
    whole = made()
    told = lines(
        replace(whole, metrics=[Measured(name="rare", values=np.where(whole.group == 1, np.arange(20_000) < 60, rare))])
    )
    ending = "customers have the same value, and at least 10 others are needed, in control"
    assert of(told).refused == f"all but {int((whole.group[:60] == 1).sum())} of {int((whole.group == 1).sum())} {ending}"
    nobody = lines(replace(whole, metrics=[Measured(name="never", values=np.zeros(20_000))]))
    assert str(of(nobody).refused).startswith("all 16982 customers have the same value")


def test_what_could_be_nothing_but_zero_is_zero_for_certain() -> None:
    whole = made()
    taken = np.where(whole.group == 1, 0.0, np.random.default_rng(6).random(20_000) < 0.2)
    line = of(lines(replace(whole, metrics=[Measured(name="taken", values=taken, possible=whole.group != 1)])))
    assert line.found is not None
    assert line.verdict == "better" and line.means is not None and line.means[1] == 0.0


def test_a_planted_mismatch_refuses_every_line() -> None:
    whole = made()
    kept = (whole.group != 1) | (np.random.default_rng(7).random(20_000) < 0.7)
    lost = replace(
        whole,
        group=whole.group[kept],
        closed=whole.closed[kept],
        before=whole.before[kept],
        metrics=[Measured(name="value", values=whole.metrics[0].values[kept])],
    )
    told = lines(lost)
    assert all(line.refused is not None and "not as large as declared" in line.refused for line in told)
    assert not said(lost).sample_ratio.holds


def test_segments_stand_each_for_themselves_and_hold_together() -> None:
    whole = made()
    place = np.where(np.random.default_rng(8).random(20_000) < 0.5, "app", "web")
    effect = np.where((place == "app") & (whole.group == 0), 0.5, 0.0)
    told = lines(
        replace(whole, metrics=[Measured(name="value", values=whole.metrics[0].values + effect)], splits={"at": list(place)})
    )
    app, web = (of(told, split="at", segment=name) for name in ("app", "web"))
    assert app.found is not None and web.found is not None
    assert (app.found.level, of(told).found.level) == (0.975, 0.95)  # type: ignore[union-attr]
    assert app.found.low < 0.8 < app.found.high
    assert web.found.low < 0.3 < web.found.high
    assert sum(app.sizes) + sum(web.sizes) == sum(of(told).sizes)


def test_a_mismatch_within_a_segment_refuses_that_segment() -> None:
    whole = made()
    place = np.where((whole.group == 1) & (np.arange(20_000) % 3 == 0), "web", np.where(np.arange(20_000) % 2, "app", "web"))
    told = lines(replace(whole, splits={"at": list(place)}))
    assert of(told).found is not None
    assert "not as large as declared here" in str(of(told, split="at", segment="web").refused)


@pytest.mark.parametrize(("more", "is_refused"), [(0.0, False), (0.2, True)])
def test_answers_compare_only_where_both_groups_answer_as_often(more: float, is_refused: bool) -> None:
    whole, random = made(), np.random.default_rng(9)
    answers = random.random(20_000) < 0.4 + more * (whole.group == 0)
    ratings = np.where(answers, random.integers(1, 6, 20_000), np.nan)
    line = of(lines(replace(whole, metrics=[Measured(name="Satisfaction Rated", values=ratings, answered=True)])))
    assert (line.refused is not None) == is_refused
    if is_refused:
        assert "so answers do not compare" in str(line.refused)
    else:
        assert line.sizes[1] < 1_000


def said(whole: MadeUp) -> LiftReport:
    return report(whole, NoLevers(), until=START + timedelta(days=90), days=28)


def test_the_report_reads_as_lines_and_as_json() -> None:
    told = said(replace(made(), splits={"at": ["app", "web"] * 10_000}, counted={"imported decisions": 7, "others": 0}))
    lines_ = told.lines()
    assert lines_[0] == "trial     2018-01-01 to 2018-04-01, 28 days a customer"
    assert lines_[1].startswith("customers treatment 16,982 (16,982 over), control 2,014")
    assert lines_[2].startswith("ratio     as declared: treatment 16,982")
    assert "left out  7 imported decisions" in lines_ and "left out  3 decisions that could not be made again" in lines_
    assert not any("others" in line for line in lines_)
    assert "all:" in lines_ and "at app:" in lines_
    back = json.loads(json.dumps(asdict(told), default=str))
    assert back["differences"][0]["verdict"] == "better"
    assert back["sample_ratio"]["shares"] == SHARES
