import json

import numpy as np
import pytest

from measure.charts import calibration_plot, gain_curve

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
