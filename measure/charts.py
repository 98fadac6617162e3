"""The only door to Altair: plots as Vega-Lite JSON (for a browser) and PNG (for a file). Lists or NumPy arrays in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import altair as alt
import numpy as np
import vl_convert
from numpy.typing import ArrayLike

from measure.curves import gain, mean_bounds, reliability
from measure.qini import uplift_curve

_WIDTH, _HEIGHT = 420, 300
_MODEL, _REFERENCE, _INK = "#1f6f8b", "#9aa5ab", "#24323a"
_VERDICTS = {"retrain": "#b3412e", "watch": "#d9822b", "ok": "#1f6f8b"}
_OTHERS = ("#d9822b", "#8e5ea2", "#7a8a3c", "#9aa5ab", "#24323a")


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished plot: a Vega-Lite specification with its data in it."""

    vega_lite: str = field(repr=False)

    def png(self, *, scale: float = 2.0) -> bytes:
        """The plot as a PNG, `scale` pixels a point. Renders without a browser and without a network."""
        return bytes(vl_convert.vegalite_to_png(self.vega_lite, scale=scale))

    def svg(self) -> str:
        """The plot as SVG, to stand in a page as it is: no script, no network."""
        return str(vl_convert.vegalite_to_svg(self.vega_lite))

    def _repr_svg_(self) -> str:
        """What a notebook shows: the drawing itself."""
        return self.svg()


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


def calibration_plot(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    title: str,
    bins: int = 10,
    unit: Literal["probability", "amount"] = "probability",
) -> Plot:
    """Share of positives against mean predicted probability in equal-count bins; on the diagonal, promises are kept.

    `labels` 0/1 and `probabilities` in [0, 1] have one length, at least 1 (else ValueError). Of the unit amount both are
    amounts: what was seen and what was expected.
    """
    curve = reliability(labels, probabilities, bins=bins)
    top = float(max(curve.predicted.max(), curve.observed.max(), 1e-6)) * 1.08
    dots = [
        {"x": float(x), "y": float(y), "rows": int(n)}
        for x, y, n in zip(curve.predicted, curve.observed, curve.rows, strict=True)
    ]
    scale = alt.Scale(domain=[0, top], nice=False)
    form = "~%" if unit == "probability" else "~s"
    x = alt.X("x:Q", scale=scale, title=f"predicted {unit}", axis=alt.Axis(format=form))
    y = alt.Y("y:Q", scale=scale, title="what happened", axis=alt.Axis(format=form))
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
    distance = f"{curve.error:.1%}" if unit == "probability" else f"{curve.error:.3g}"
    subtitle = f"Mean distance from the diagonal {distance}, over {len(dots)} groups of equal size"
    return _finished(diagonal + model, title, subtitle)


def uplift_plot(outcomes: ArrayLike, treated: ArrayLike, scores: ArrayLike, *, title: str) -> Plot:
    """Successes gained by treating the highest scores first, against treating as many at random; see `measure.qini`."""
    curve = uplift_curve(outcomes, treated, scores)
    kept = np.unique(np.linspace(0, len(curve.read) - 1, 200).round().astype(int))
    lines = [
        *_line("model", curve.read[kept], curve.gained[kept] * 100),
        *_line("at random", [0.0, 1.0], [0.0, curve.effect * 100]),
    ]
    kinds = alt.Scale(domain=["model", "at random"], range=[_MODEL, _REFERENCE])
    chart = (
        alt.Chart(alt.Data(values=lines))
        .mark_line(strokeWidth=2)
        .encode(
            x=_share("x", "treated, highest scores first"),
            y=alt.Y("y:Q", title="successes gained, a hundred customers"),
            color=alt.Color("line:N", scale=kinds, legend=alt.Legend(title=None, orient="bottom-right")),
            order=alt.Order("step:Q"),
        )
    )
    return _finished(chart, title, f"Qini {curve.coefficient:.4f}; treating everyone gains {curve.effect:.1%}")


def contributions_plot(
    columns: Sequence[str], contributions: ArrayLike, values: ArrayLike, *, title: str, most: int = 10, rows: int = 300
) -> Plot:
    """A dot a row: how far each column moved its score (`contributions`, (n, C)), coloured by where the row's value (`values`,
    (n, C), NaN missing) ranks among the others. The columns that move most come first, at most `most`; of many rows every
    so-and-so-manieth is drawn, at most about `rows`.
    """
    moved, known = np.asarray(contributions, dtype=np.float64), np.asarray(values, dtype=np.float64)
    means = np.abs(moved).mean(axis=0)
    first = sorted(range(len(columns)), key=lambda at: (-means[at], columns[at]))[:most]
    drawn = range(0, len(moved), max(1, -(-len(moved) // rows)))
    dots = []
    for at in first:
        order = np.sort(known[~np.isnan(known[:, at]), at])
        for step, row in enumerate(drawn):
            value = known[row, at]
            rank = None if np.isnan(value) else float(np.searchsorted(order, value, "right") / len(order))
            # low-discrepancy, so that dots spread evenly and the same data give the same plot
            spread = (step * 0.618034) % 1.0 - 0.5
            dots.append({"column": columns[at], "x": round(float(moved[row, at]), 5), "rank": rank, "spread": round(spread, 4)})
    chart = (
        alt.Chart(alt.Data(values=[]))
        .mark_circle(size=14, opacity=0.65)
        .encode(
            x=alt.X("x:Q", title="moves the score by"),
            y=alt.Y("column:N", sort=[columns[at] for at in first], title=None),
            yOffset=alt.YOffset("spread:Q"),
            color=alt.Color(
                "rank:Q",
                scale=alt.Scale(domain=[0, 1], range=["#9ecae1", _INK]),
                legend=alt.Legend(title="value", format=".0%", orient="right"),
            ),
        )
    )
    return _finished(
        chart, title, "One dot a row; dark: a high value of the column; the columns that move most come first", rows=dots
    )


def intervals_plot(
    found: Mapping[str, tuple[float, float, float]],
    *,
    title: str,
    subtitle: str,
    unit: str,
    wider: Mapping[str, tuple[float, float]] | None = None,
    truth: Mapping[str, float] | None = None,
    at: float | None = None,
    form: str = "~g",
) -> Plot:
    """A row a name, in the order given: its value as a dot, its interval (value, low, high) as a bar.

    `wider` adds a thin line (low, high), such as an interval that may be looked at always; `truth` a mark where it is known.
    `at` draws a line down all rows: no difference, or what there is to beat. `form` is how d3 writes the numbers.
    """
    names = list(found)
    rows = [{"name": name, "x": value, "low": low, "high": high} for name, (value, low, high) in found.items()]
    lines = [{"name": name, "low": low, "high": high} for name, (low, high) in (wider or {}).items()]
    marks = [{"name": name, "x": value} for name, value in (truth or {}).items()]
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=_WIDTH // 2, domain=False, ticks=False))
    x = alt.X("low:Q", title=unit, scale=alt.Scale(zero=False), axis=alt.Axis(format=form, tickCount=7))
    base = alt.Chart(alt.Data(values=rows)).encode(y=y)
    drawn = [alt.Chart(alt.Data(values=[{"x": at}])).mark_rule(color=_REFERENCE, strokeDash=[6, 4]).encode(x="x:Q")]
    drawn = [] if at is None else drawn
    drawn += [alt.Chart(alt.Data(values=lines)).mark_rule(color=_MODEL).encode(y=y, x=x, x2="high:Q")] if lines else []
    drawn += [
        base.mark_rule(color=_MODEL, strokeWidth=5, opacity=0.45).encode(x=x, x2="high:Q"),
        base.mark_point(filled=True, size=70, color=_MODEL, opacity=1).encode(x=alt.X("x:Q", title=unit)),
    ]
    if marks:
        mark = alt.Chart(alt.Data(values=marks)).mark_tick(color=_OTHERS[0], thickness=3, size=16)
        drawn.append(mark.encode(y=y, x=alt.X("x:Q", title=unit)))
    return _finished(alt.layer(*drawn), title, subtitle, height=max(90, 32 * len(names)))


def bars_plot(
    bars: Mapping[str, float],
    *,
    title: str,
    subtitle: str,
    unit: str,
    marks: Mapping[str, float] | None = None,
    form: str = "~g",
) -> Plot:
    """A bar a name from zero, in the order given, its number beside it; or a mark for what it must pass, as a threshold."""
    names = list(bars)
    rows = [{"name": name, "x": value} for name, value in bars.items()]
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=_WIDTH // 2, domain=False, ticks=False))
    x = alt.X("x:Q", title=unit, axis=alt.Axis(format=form))
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, x=x)
    drawn = base.mark_bar(color=_MODEL, height={"band": 0.6})
    if marks:
        ticks = alt.Chart(alt.Data(values=[{"name": name, "x": value} for name, value in marks.items()]))
        drawn += ticks.mark_tick(color=_OTHERS[0], thickness=3, size=18).encode(y=y, x=x)
    else:
        drawn += base.mark_text(align="left", dx=4, color=_INK).encode(text=alt.Text("x:Q", format=form))
    return _finished(drawn, title, subtitle, height=max(90, 26 * len(names)))


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


def regret_curves(lines: Mapping[str, ArrayLike], *, title: str, subtitle: str) -> Plot:
    """Cumulative regret week by week: for each policy (n, W), a row a world; the mean and a band of its 95% interval."""
    dots = []
    for name, rows in lines.items():
        table = np.asarray(rows, dtype=np.float64)
        low, high = mean_bounds(table)
        for week, (mean, least, most) in enumerate(zip(table.mean(axis=0), low, high, strict=True), start=1):
            dots.append({"policy": name, "week": week, "y": float(mean), "low": float(least), "high": float(most)})
    base = alt.Chart(alt.Data(values=dots)).encode(
        x=alt.X("week:Q", title="week", scale=alt.Scale(nice=False)), color=_policies(list(lines))
    )
    bands = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title="regret, money a customer"), y2="high:Q")
    return _finished(bands + base.mark_line(strokeWidth=2).encode(y="y:Q"), title, subtitle)


def value_against_contacts(points: Mapping[str, tuple[ArrayLike, ArrayLike]], *, title: str, subtitle: str) -> Plot:
    """For each policy its contacts and its value, (n,) each, an entry a world: the means, and bars of their 95% intervals."""
    dots = []
    for name, (contacts, value) in points.items():
        found = np.column_stack([np.asarray(contacts, dtype=np.float64), np.asarray(value, dtype=np.float64)])
        low, high = mean_bounds(found)
        x, y = found.mean(axis=0)
        dots.append({"policy": name, "x": x, "y": y, "left": low[0], "right": high[0], "low": low[1], "high": high[1]})
    dots = [{key: each if isinstance(each, str) else float(each) for key, each in one.items()} for one in dots]
    base = alt.Chart(alt.Data(values=dots)).encode(color=_policies(list(points)))
    x = alt.X("x:Q", title="contacts a customer", scale=alt.Scale(zero=True))
    y = alt.Y("y:Q", title="value, money a customer", scale=alt.Scale(zero=False))
    across = base.mark_rule(opacity=0.5).encode(x=alt.X("left:Q"), x2="right:Q", y=y)
    upward = base.mark_rule(opacity=0.5).encode(x=x, y=alt.Y("low:Q"), y2="high:Q")
    return _finished(across + upward + base.mark_point(filled=True, size=90).encode(x=x, y=y), title, subtitle)


def contacts_by_quarter(rates: Mapping[str, ArrayLike], *, title: str, subtitle: str) -> Plot:
    """For each policy (n, 4), a row a world: the share of moments at which each quarter of customers was told something."""
    named = ("lowest uplift", "second", "third", "highest uplift")
    bars = [
        {"policy": name, "quarter": quarter, "y": float(share)}
        for name, rows in rates.items()
        for quarter, share in zip(named, np.asarray(rows, dtype=np.float64).mean(axis=0), strict=True)
    ]
    chart = (
        alt.Chart(alt.Data(values=bars))
        .mark_bar()
        .encode(
            x=alt.X("quarter:N", sort=list(named), title=None, axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("policy:N", sort=list(rates)),
            y=alt.Y("y:Q", title="moments with a message", axis=alt.Axis(format="%")),
            color=_policies(list(rates)),
        )
    )
    return _finished(chart, title, subtitle)


def shift_bars(shifts: Mapping[str, tuple[float, float, str]], *, marks: Sequence[float], title: str, subtitle: str) -> Plot:
    """For each name how far it shifted, what it stays within by chance, and its verdict; `marks` are where it matters."""
    bars = [
        {"name": name, "x": float(found), "chance": float(bound), "verdict": verdict}
        for name, (found, bound, verdict) in shifts.items()
    ]
    y = alt.Y("name:N", sort=list(shifts), title=None, axis=alt.Axis(labelLimit=220))
    x = alt.X("x:Q", title="population stability index")
    colours = alt.Scale(domain=list(_VERDICTS), range=list(_VERDICTS.values()))
    base = alt.Chart(alt.Data(values=bars)).encode(y=y)
    drawn = (
        alt.Chart(alt.Data(values=[{"x": float(mark)} for mark in marks]))
        .mark_rule(strokeDash=[6, 4], color=_REFERENCE)
        .encode(x="x:Q")
        + base.mark_bar(height={"band": 0.6}).encode(
            x=x, color=alt.Color("verdict:N", scale=colours, legend=alt.Legend(title=None, orient="bottom"))
        )
        + base.mark_tick(color=_INK, thickness=2).encode(x="chance:Q")
    )
    return _styled(
        drawn.properties(width=_WIDTH, height=alt.Step(20), title=alt.TitleParams(title, subtitle=subtitle, anchor="start"))
    )


def shares_before_and_now(bins: Sequence[str], before: ArrayLike, now: ArrayLike, *, title: str, subtitle: str) -> Plot:
    """The share of each bin before and now, (n,) each."""
    bars = [
        {"bin": name, "when": when, "y": float(share)}
        for when, shares in (("before", before), ("now", now))
        for name, share in zip(bins, np.asarray(shares, dtype=np.float64), strict=True)
    ]
    kinds = alt.Scale(domain=["before", "now"], range=[_REFERENCE, _MODEL])
    chart = (
        alt.Chart(alt.Data(values=bars))
        .mark_bar()
        .encode(
            x=alt.X("bin:N", sort=list(bins), title=None, axis=alt.Axis(labelAngle=-40)),
            xOffset=alt.XOffset("when:N", sort=["before", "now"]),
            y=alt.Y("y:Q", title="decisions", axis=alt.Axis(format="%")),
            color=alt.Color("when:N", scale=kinds, legend=alt.Legend(title=None, orient="bottom")),
        )
    )
    return _finished(chart, title, subtitle)


def kept_by_week(
    weeks: Sequence[str], expected: ArrayLike, observed: ArrayLike, bounds: ArrayLike, *, title: str, subtitle: str
) -> Plot:
    """Of each week, the first day as 2026-01-31, the share expected (n,) and the one seen (n,) with its `bounds` (n, 2)."""
    dots = [
        {"week": week, "expected": float(a), "seen": float(b), "low": float(low), "high": float(high)}
        for week, a, b, (low, high) in zip(
            weeks, np.asarray(expected), np.asarray(observed), np.asarray(bounds, dtype=np.float64), strict=True
        )
    ]
    names = alt.Scale(domain=["expected", "seen"], range=[_REFERENCE, _MODEL])
    base = alt.Chart(alt.Data(values=dots)).encode(x=alt.X("week:O", title="week from", axis=alt.Axis(labelAngle=-40)))
    share = alt.Axis(format="%")
    line = alt.Color("line:N", scale=names, legend=alt.Legend(title=None, orient="bottom"))
    chart = (
        base.mark_rule(color=_MODEL, opacity=0.6).encode(y=alt.Y("low:Q", title="successes", axis=share), y2="high:Q")
        + base.transform_calculate(line="'expected'").mark_line(strokeDash=[6, 4]).encode(y="expected:Q", color=line)
        + base.transform_calculate(line="'seen'").mark_point(filled=True, size=60).encode(y="seen:Q", color=line)
    )
    return _finished(chart, title, subtitle)


def _policies(names: list[str]) -> Any:
    """A colour a policy, the first the one that the plot is about."""
    scale = alt.Scale(domain=names, range=[_MODEL, *_OTHERS[: len(names) - 1]])
    return alt.Color("policy:N", scale=scale, legend=alt.Legend(title=None, orient="bottom", columns=3))


def _line(name: str, xs: Any, ys: Any) -> list[dict[str, Any]]:
    return [
        {"line": name, "step": step, "x": round(float(x), 6), "y": round(float(y), 6)}
        for step, (x, y) in enumerate(zip(xs, ys, strict=True))
    ]


def _share(field: str, title: str) -> Any:
    channel = alt.X if field == "x" else alt.Y
    return channel(f"{field}:Q", title=title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))


def _finished(
    chart: Any, title: str, subtitle: str, *, height: int = _HEIGHT, rows: Sequence[Mapping[str, Any]] | None = None
) -> Plot:
    return _styled(
        chart.properties(width=_WIDTH, height=height, title=alt.TitleParams(title, subtitle=subtitle, anchor="start")),
        rows=rows,
    )


def _styled(chart: Any, *, rows: Sequence[Mapping[str, Any]] | None = None) -> Plot:
    """`rows` become the chart's data once Altair has checked the rest: it would check every row, a tenth of a millisecond each,
    against a schema that allows any.
    """
    finished = (
        chart.configure_view(stroke=None)
        .configure_axis(gridColor="#e8ecee", domainColor=_REFERENCE, labelColor=_INK, titleColor=_INK, titleFontWeight="normal")
        .configure_title(color=_INK, subtitleColor="#5b6b73", fontSize=14, offset=12)
    )
    spec = finished.to_dict()
    if rows is not None:
        spec["data"] = {"values": list(rows)}
    return Plot(json.dumps(spec, sort_keys=True))
