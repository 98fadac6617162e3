"""The report of drift as one page: no script, no font, no picture from anywhere else."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from measure import charts
from measure.drift import ENOUGH_TO_RETRAIN, ENOUGH_TO_WATCH
from measure.drift_report import MEANS, DriftReport, Finding, Span, Week

BARS, SPREADS = 20, 4
"""Features in the plot of shifts, and those whose distribution is drawn, at most."""

_KINDS = {
    "feature": "Features: what models are told",
    "prediction": "Predictions: what models say",
    "choice": "Choices: how often nothing is said",
    "calibration": "Calibration: what came of it",
    "action": "Actions: what the catalog covers",
    "context": "Contexts: where there is something to say",
    "champion": "The champion",
}
_STYLE = """
:root { --ink: #24323a; --soft: #5b6b73; --line: #e3e8ea;
  --retrain: #b3412e; --watch: #b3690f; --ok: #1f6f8b; --unknown: #6b7780 }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1080px; padding: 32px 24px 64px; color: var(--ink); background: #fff;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
h1 { font-size: 26px; margin: 0 0 4px } h2 { font-size: 18px; margin: 40px 0 8px }
.soft { color: var(--soft) } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.verdict { margin: 20px 0; padding: 16px 20px; border-left: 6px solid; background: #f6f8f9; border-radius: 4px }
.verdict b { display: block; font-size: 18px } .retrain { border-color: var(--retrain) } .watch { border-color: var(--watch) }
.ok { border-color: var(--ok) } .unknown { border-color: var(--unknown) }
.badge { display: inline-block; min-width: 66px; padding: 1px 8px; border-radius: 10px; color: #fff; font-size: 12px;
  text-align: center }
.badge.retrain { background: var(--retrain) } .badge.watch { background: var(--watch) }
.badge.ok { background: var(--ok) } .badge.unknown { background: var(--unknown) }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: 14px }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 2px solid var(--line); padding: 6px 12px 6px 0 }
td { border-bottom: 1px solid var(--line); padding: 6px 12px 6px 0; vertical-align: top }
.plots { display: flex; flex-wrap: wrap; gap: 24px } .plots svg { max-width: 100%; height: auto }
details summary { cursor: pointer; color: var(--soft); margin: 8px 0 } footer { margin-top: 40px; font-size: 13px }
"""


def page(report: DriftReport) -> str:
    """The whole page as HTML."""
    return "".join(_parts(report))


def _parts(report: DriftReport) -> Iterator[str]:
    head, _, cure = MEANS[report.verdict].partition(": ")
    yield '<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">'
    yield f"<title>Drift: {escape(head)}</title><style>{_STYLE}</style>"
    yield f"<h1>Do the models still fit?</h1><div class=soft>Champion {escape(report.bundle or 'none')}</div>"
    yield f"<div class='verdict {report.verdict}'><b>{escape(head.capitalize())}</b>{escape(cure.capitalize())}.<br>"
    yield f"<span class=soft>{escape(report.because)}</span></div>"
    yield "<table><tr><th>Period<th>From<th>To<th class=n>Decisions<th class=n>Read<th>Which</tr>"
    yield from (_span(name, one) for name, one in (("now", report.recent), ("before", report.reference)))
    yield _span("before, for predictions", report.first) + "</table>"
    worst = [one for one in report.findings if one.verdict in ("retrain", "watch")]
    yield "<h2>Worst first</h2>"
    yield _table(worst, with_kind=True) if worst else "<p>Nothing stands out.</p>"
    yield from _plots(report)
    for kind, title in _KINDS.items():
        yield from _section(title, [one for one in report.findings if one.kind == kind])
    yield f"<footer class=soft><p>Any alarm of features, predictions or calibration is false in {report.level:.0%} of reports, "
    yield "at most; intervals are 95% ones, for one look.</p><ul>"
    yield from (f"<li>{escape(note)}</li>" for note in report.notes)
    yield from (f"<li>left out: {count:,} {escape(what)}</li>" for what, count in report.left_out.items() if count)
    yield "</ul></footer></html>\n"


def _span(name: str, span: Span) -> str:
    return (
        f"<tr><td>{name}<td>{span.since:%Y-%m-%d}<td>{span.until:%Y-%m-%d}<td class=n>{span.decisions:,}"
        f"<td class=n>{span.read:,}<td>{escape(span.why)}</tr>"
    )


def _section(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    loud = sum(one.verdict in ("retrain", "watch") for one in findings)
    yield f"<h2>{escape(title)}</h2><details{' open' if loud else ''}>"
    yield f"<summary>{len(findings)} looked at, {loud} stand out</summary>"
    yield _table(findings, with_kind=False) + "</details>"


def _table(findings: Iterable[Finding], *, with_kind: bool) -> str:
    kind = "<th>Kind" if with_kind else ""
    rows = "".join(_row(one, with_kind=with_kind) for one in findings)
    return f"<div class=wide><table><tr><th>Verdict{kind}<th>What<th>Number<th class=n>p<th>Why</tr>{rows}</table></div>"


def _row(one: Finding, *, with_kind: bool) -> str:
    kind = f"<td>{one.kind}" if with_kind else ""
    p = "" if one.p is None else "&lt; .0001" if one.p < 1e-4 else f"{one.p:.4f}"
    return (
        f"<tr><td><span class='badge {one.verdict}'>{one.verdict}</span>{kind}<td>{escape(one.subject)}<td>{escape(one.said())}"
        f"<td class=n>{p}<td>{escape(one.reason)}</tr>"
    )


def _plots(report: DriftReport) -> Iterator[str]:
    drawn = [one for one in report.findings if one.kind in ("feature", "prediction") and one.number is not None]
    drawn.sort(key=lambda one: -(one.number or 0.0))
    yield "<h2>At a glance</h2><div class=plots>"
    if drawn:
        plot = charts.shift_bars(
            {one.subject: (one.number or 0.0, one.bound or 0.0, one.verdict) for one in drawn[:BARS]},
            marks=(ENOUGH_TO_WATCH, ENOUGH_TO_RETRAIN),
            title="What shifted most",
            subtitle="Ticks: what chance alone stays within; dashed lines: where it matters",
        )
        yield plot.svg()
    for model in dict.fromkeys(week.model for week in report.weeks):
        yield _kept(model, [week for week in report.weeks if week.model == model])
    for one in [one for one in drawn if one.verdict in ("retrain", "watch")][:SPREADS]:
        bins = one.shares
        plot = charts.shares_before_and_now(
            [share.bin for share in bins],
            [share.before for share in bins],
            [share.now for share in bins],
            title=one.subject,
            subtitle=f"PSI {one.number:.2f}: {one.reason}",
        )
        yield plot.svg()
    yield "</div>"


def _kept(model: str, weeks: Sequence[Week]) -> str:
    return charts.kept_by_week(
        [f"{week.since:%Y-%m-%d}" for week in weeks],
        [week.expected for week in weeks],
        [week.observed for week in weeks],
        [(week.low, week.high) for week in weeks],
        title=f"Expected and seen: {model}",
        subtitle="Messages by the week in which their window ended, with 95% intervals",
    ).svg()
