"""The only door to Altair: plots as Vega-Lite JSON (for a browser) and PNG (for a file). Lists or NumPy arrays in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert
from numpy.typing import ArrayLike

from measure.curves import gain, reliability

_WIDTH, _HEIGHT = 420, 300
_MODEL, _REFERENCE, _INK = "#1f6f8b", "#9aa5ab", "#24323a"


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished plot: a Vega-Lite specification with its data in it."""

    vega_lite: str

    def png(self, *, scale: float = 2.0) -> bytes:
        """The plot as a PNG, `scale` pixels a point. Renders without a browser and without a network."""
        return bytes(vl_convert.vegalite_to_png(self.vega_lite, scale=scale))


def gain_curve(labels: ArrayLike, scores: ArrayLike, *, title: str, unit: str = "customers") -> Plot:
    """Share of positives found against share of rows read, highest scores first, between chance and the perfect ranking.

    `labels` 0/1 and `scores`, any scale, have one length; at least one label is 1 (else ValueError).
    """
    curve = gain(labels, scores)
    lines = [
        *_line("model", curve.read, curve.found),
        *_line("perfect", [0.0, curve.perfect, 1.0], [0.0, 1.0, 1.0]),
        *_line("chance", [0.0, 1.0], [0.0, 1.0]),
    ]
    subtitle = f"The first 20% of the {unit} hold {curve.at(0.2):.0%} of the positives (chance: 20%)"
    kinds = alt.Scale(domain=["model", "perfect", "chance"], range=[_MODEL, _REFERENCE, _REFERENCE])
    dashes = alt.Scale(domain=["model", "perfect", "chance"], range=[[1, 0], [2, 3], [6, 4]])
    chart = (
        alt.Chart(alt.Data(values=lines))
        .mark_line(strokeWidth=2)
        .encode(
            x=_share("x", f"{unit} read, highest scores first"),
            y=_share("y", "positives found"),
            color=alt.Color("line:N", scale=kinds, legend=alt.Legend(title=None, orient="bottom-right")),
            strokeDash=alt.StrokeDash("line:N", scale=dashes, legend=None),
            order=alt.Order("step:Q"),
        )
    )
    return _finished(chart, title, subtitle)


def calibration_plot(labels: ArrayLike, probabilities: ArrayLike, *, title: str, bins: int = 10) -> Plot:
    """Share of positives against mean predicted probability in equal-count bins; on the diagonal, promises are kept.

    `labels` 0/1 and `probabilities` in [0, 1] have one length, at least 1 (else ValueError).
    """
    curve = reliability(labels, probabilities, bins=bins)
    top = float(max(curve.predicted.max(), curve.observed.max(), 1e-6)) * 1.08
    dots = [
        {"x": float(x), "y": float(y), "rows": int(n)}
        for x, y, n in zip(curve.predicted, curve.observed, curve.rows, strict=True)
    ]
    scale = alt.Scale(domain=[0, top], nice=False)
    x = alt.X("x:Q", scale=scale, title="predicted probability", axis=alt.Axis(format="~%"))
    y = alt.Y("y:Q", scale=scale, title="what happened", axis=alt.Axis(format="~%"))
    diagonal = (
        alt.Chart(alt.Data(values=_line("kept", [0.0, top], [0.0, top])))
        .mark_line(strokeDash=[6, 4], color=_REFERENCE)
        .encode(x=x, y=y)
    )
    model = (
        alt.Chart(alt.Data(values=dots))
        .mark_line(color=_MODEL, strokeWidth=2, point=alt.OverlayMarkDef(filled=True, size=55, color=_MODEL))
        .encode(x=x, y=y, tooltip=["x:Q", "y:Q", "rows:Q"])
    )
    subtitle = f"Mean distance from the diagonal {curve.error:.1%}, over {len(dots)} groups of equal size"
    return _finished(diagonal + model, title, subtitle)


def growth_curves(panels: Mapping[str, Mapping[str, Mapping[int, float]]], *, title: str, subtitle: str) -> Plot:
    """What something takes against how many customers there are, on a scale of powers of ten.

    A panel for each unit, a line in it for each name, each from zero up: what is flat looks flat.
    """
    drawn = []
    for unit, lines in panels.items():
        dots = [{"line": name, "x": x, "y": y} for name, line in lines.items() for x, y in sorted(line.items())]
        drawn.append(
            alt.Chart(alt.Data(values=dots))
            .mark_line(strokeWidth=2, point=alt.OverlayMarkDef(filled=True, size=55))
            .encode(
                x=alt.X("x:Q", title="customers", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s", tickCount=4)),
                y=alt.Y("y:Q", title=unit, scale=alt.Scale(zero=True)),
                color=alt.Color(
                    "line:N", scale=alt.Scale(range=[_MODEL, _REFERENCE]), legend=alt.Legend(title=None, orient="bottom")
                ),
            )
            .properties(width=_WIDTH * 2 // 3, height=_HEIGHT * 2 // 3)
        )
    return _styled(alt.hconcat(*drawn).properties(title=alt.TitleParams(title, subtitle=subtitle, anchor="start")))


def _line(name: str, xs: Any, ys: Any) -> list[dict[str, Any]]:
    return [
        {"line": name, "step": step, "x": round(float(x), 6), "y": round(float(y), 6)}
        for step, (x, y) in enumerate(zip(xs, ys, strict=True))
    ]


def _share(field: str, title: str) -> Any:
    channel = alt.X if field == "x" else alt.Y
    return channel(f"{field}:Q", title=title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))


def _finished(chart: Any, title: str, subtitle: str) -> Plot:
    return _styled(
        chart.properties(width=_WIDTH, height=_HEIGHT, title=alt.TitleParams(title, subtitle=subtitle, anchor="start"))
    )


def _styled(chart: Any) -> Plot:
    finished = (
        chart.configure_view(stroke=None)
        .configure_axis(gridColor="#e8ecee", domainColor=_REFERENCE, labelColor=_INK, titleColor=_INK, titleFontWeight="normal")
        .configure_title(color=_INK, subtitleColor="#5b6b73", fontSize=14, offset=12)
    )
    return Plot(json.dumps(finished.to_dict(), sort_keys=True))
