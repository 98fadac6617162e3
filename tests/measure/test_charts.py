import json

import numpy as np
import pytest

from measure.charts import (
    bars_plot,
    calibration_plot,
    contacts_by_quarter,
    contributions_plot,
    gain_curve,
    intervals_plot,
    kept_by_week,
    regret_curves,
    shares_before_and_now,
    shift_bars,
    uplift_plot,
    value_against_contacts,
)

_LABELS = [1, 0, 1, 0, 0, 0, 1, 0, 0, 0]
_SCORES = np.linspace(0.9, 0.05, 10)


def _size(png: bytes) -> tuple[int, int]:
    """Width and height in a PNG's header."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


@pytest.mark.parametrize("draw", [gain_curve, calibration_plot])
def test_a_plot_is_a_vega_lite_document_and_a_picture(draw):
    plot = draw(_LABELS, _SCORES, title="Churn, held out")

    document = json.loads(plot.vega_lite)
    assert "vega-lite" in document["$schema"]
    assert document["title"]["text"] == "Churn, held out"
    png = plot.png(scale=1.0)
    assert png.startswith(b"\x89PNG")
    width, height = _size(png)
    assert width > 400
    assert height > 300


def test_the_same_numbers_give_the_same_document():
    first, second = (gain_curve(_LABELS, list(_SCORES), title="x").vega_lite for _ in range(2))

    assert first == second


def test_a_gain_curve_says_what_reading_a_fifth_finds():
    plot = gain_curve([1, 0, 0, 0, 0], [5, 4, 3, 2, 1], title="x", unit="offers")

    assert "The first 20% of the offers hold 100% of the positives" in plot.vega_lite


def test_a_calibration_plot_says_how_far_promises_were_off():
    plot = calibration_plot([1, 0], [0.9, 0.1], title="x")

    assert "Mean distance from the diagonal 10.0%" in plot.vega_lite


def test_a_calibration_plot_of_nothing_but_zeros_can_be_drawn():
    assert calibration_plot([0, 0], [0.0, 0.0], title="x").png(scale=1.0).startswith(b"\x89PNG")


def test_a_calibration_plot_of_amounts_is_in_their_unit():
    plot = calibration_plot([0.0, 120.0], [10.0, 90.0], title="x", unit="amount")

    assert "predicted amount" in plot.vega_lite
    assert "Mean distance from the diagonal 20," in plot.vega_lite
    assert plot.png(scale=1.0).startswith(b"\x89PNG")


def test_an_uplift_plot_says_the_qini_and_what_treating_everyone_gains():
    plot = uplift_plot([1, 0, 0, 1], np.array([True, False, True, False]), [4, 3, 2, 1], title="x")

    assert "Qini 0.2188; treating everyone gains 0.0%" in plot.vega_lite
    assert plot.png(scale=1.0).startswith(b"\x89PNG")


def test_the_columns_that_move_scores_most_come_first_and_many_rows_are_thinned():
    moved = np.column_stack([np.full(1_000, 0.1), np.linspace(-1, 1, 1_000), np.zeros(1_000)])
    values = np.column_stack([np.full(1_000, np.nan), np.arange(1_000), np.zeros(1_000)])

    document = json.loads(contributions_plot(["a", "b", "c"], moved, values, title="x", most=2, rows=250).vega_lite)

    dots = document["data"]["values"]
    assert document["encoding"]["y"]["sort"] == ["b", "a"]
    assert len(dots) == 500
    assert {dot["rank"] for dot in dots if dot["column"] == "a"} == {None}
    assert max(dot["rank"] for dot in dots if dot["column"] == "b") > 0.99


@pytest.mark.parametrize(
    "plot",
    [
        regret_curves({"ours": [[1.0, 2.0], [2.0, 5.0]], "theirs": [[2.0, 4.0], [3.0, 8.0]]}, title="x", subtitle="y"),
        value_against_contacts({"ours": ([3.0, 4.0], [9.0, 8.0]), "theirs": ([5.0, 6.0], [7.0, 6.0])}, title="x", subtitle="y"),
        contacts_by_quarter({"ours": [[0.0, 0.1, 0.5, 0.9]], "theirs": [[0.5, 0.5, 0.5, 0.5]]}, title="x", subtitle="y"),
    ],
    ids=["regret", "value", "quarters"],
)
def test_policies_are_drawn_beside_each_other(plot):
    assert "theirs" in plot.vega_lite
    assert plot.png(scale=1.0).startswith(b"\x89PNG")


def test_a_band_of_regret_lies_about_its_mean():
    plot = regret_curves({"ours": [[0.0], [2.0], [4.0]]}, title="x", subtitle="y")

    dot = json.loads(plot.vega_lite)["data"]["values"][0]
    assert dot["low"] < dot["y"] == 2.0 < dot["high"]


def test_shifts_stand_in_the_order_given_with_what_chance_allows():
    shifts = {"spend": (0.8, 0.1, "retrain"), "orders": (0.05, 0.1, "ok")}
    plot = shift_bars(shifts, marks=(0.1, 0.25), title="What shifted", subtitle="")
    document = json.loads(plot.vega_lite)
    rule, bars, ticks = document["layer"]
    assert [one["x"] for one in rule["data"]["values"]] == [0.1, 0.25]
    assert bars["encoding"]["y"]["sort"] == ["spend", "orders"]
    assert ticks["encoding"]["x"]["field"] == "chance"


def test_every_bin_is_drawn_before_and_now():
    plot = shares_before_and_now(["low", "high"], [0.5, 0.5], [0.1, 0.9], title="spend", subtitle="")
    values = json.loads(plot.vega_lite)["data"]["values"]
    assert {(one["bin"], one["when"]): one["y"] for one in values}["high", "now"] == 0.9 and len(values) == 4


def test_every_week_has_what_was_expected_and_what_was_seen_with_its_bounds():
    weeks = ["2018-01-01", "2018-01-08"]
    plot = kept_by_week(weeks, [0.1, 0.1], [0.12, 0.05], [(0.1, 0.14), (0.03, 0.07)], title="Expected and seen", subtitle="")
    values = json.loads(plot.vega_lite)["data"]["values"]
    assert values[1] == {"week": "2018-01-08", "expected": 0.1, "seen": 0.05, "low": 0.03, "high": 0.07}


def test_as_svg_a_plot_stands_in_a_page_by_itself():
    drawn = gain_curve(_LABELS, _SCORES, title="x").svg()
    assert drawn.startswith("<svg") and "<script" not in drawn and "href" not in drawn


def test_intervals_stand_in_the_order_given_with_what_is_wider_and_what_is_true():
    plot = intervals_plot(
        {"one": (1.0, 0.5, 1.5), "another": (0.1, -0.2, 0.4)},
        title="x",
        subtitle="y",
        unit="dollars",
        wider={"one": (0.0, 2.0)},
        truth={"one": 1.25},
        at=0.0,
    )

    document = json.loads(plot.vega_lite)
    none, wide, bar, dot, mark = (layer["data"]["values"] for layer in document["layer"])
    assert (none, wide, mark) == ([{"x": 0.0}], [{"name": "one", "low": 0.0, "high": 2.0}], [{"name": "one", "x": 1.25}])
    assert bar == dot and [row["name"] for row in bar] == ["one", "another"]
    assert {layer["encoding"]["y"]["sort"][0] for layer in document["layer"][1:]} == {"one"}
    assert plot.png(scale=1.0).startswith(b"\x89PNG")


def test_intervals_alone_are_bars_and_dots():
    document = json.loads(intervals_plot({"one": (1.0, 0.5, 1.5)}, title="x", subtitle="y", unit="z").vega_lite)

    assert len(document["layer"]) == 2


def test_bars_bear_their_number_or_the_mark_they_must_pass():
    bare, marked = (
        json.loads(bars_plot({"b": 2.0, "a": 1.0}, title="x", subtitle="y", unit="z", marks=marks).vega_lite)
        for marks in (None, {"b": 0.5})
    )

    assert bare["layer"][1]["mark"]["type"] == "text"
    assert marked["layer"][1]["data"]["values"] == [{"name": "b", "x": 0.5}]
    assert marked["layer"][0]["encoding"]["y"]["sort"] == ["b", "a"]


def test_a_notebook_shows_a_drawing_that_fetches_nothing():
    drawing = gain_curve(_LABELS, _SCORES, title="Churn, held out")._repr_svg_()

    assert drawing.startswith("<svg") and "Churn, held out" in drawing
    assert "<script" not in drawing and "href" not in drawing
