"""Do the models still fit? Drift of what they read and say, what came of it, what the catalog leaves uncovered: worst first.

A number alone is no alarm, nor is chance alone: with few decisions an index is large for nothing, with many a shift too small
to matter is certain. A finding is one where both say so: it is further out than chance explains, at a level shared by all that
is looked at, and by enough to matter. Uncovered actions and contexts are counts, and leave nothing to chance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from math import log
from statistics import median

import numpy as np
from numpy.typing import NDArray

from measure.coverage import action_findings, context_findings
from measure.drift_report import WORST_FIRST, DriftReport, Finding, Share, Span, Verdict, Week
from measure.response import Sums, kept
from measure.shift import Sample, Shift, change, shift
from measure.watched import Watching, Window

LEVEL = 0.05
"""How often there is a false alarm at all, at most: a third each for features, predictions and calibration, divided there."""
ENOUGH_TO_WATCH, ENOUGH_TO_RETRAIN = 0.10, 0.25
"""Of PSI above what chance makes of it (Siddiqi, 2006)."""
OFF_TO_WATCH, OFF_TO_RETRAIN = 1.10, 1.25
"""How many times as many successes as expected, or as few, matter."""
NOTHING_TO_WATCH = 0.10
"""By how much the share of decisions that choose nothing may change."""
FEWEST, FEWEST_CUSTOMERS, FEWEST_SHOWS = 200, 50, 50

_NOTES = (
    "levels hold for one look: of twenty reports without any drift one has a false alarm, at most",
    "successes fall a little below what was expected also of a good model: what is chosen is what it was too sure of",
    "a season is a drift like any other; compare with the same season by --against",
)


def report(watching: Watching) -> DriftReport:
    """Everything that can be said, the worst first."""
    found = [
        *_features(watching),
        *_said(watching),
        *_calibration(watching),
        *action_findings(watching),
        *context_findings(watching.windows.offered),
        _champion(watching),
    ]
    order = sorted(found, key=lambda one: (WORST_FIRST.index(one.verdict), -one.strength, one.kind, one.subject))
    known = [one for one in order if one.verdict != "unknown"]
    worst = known[0] if known else order[0]
    windows = watching.windows
    return DriftReport(
        verdict=worst.verdict,
        because="nothing stands out" if worst.verdict == "ok" else f"{worst.subject}: {worst.reason}",
        bundle=watching.champion.bundle,
        recent=_span(windows.recent),
        reference=_span(windows.reference),
        first=_span(windows.first),
        level=LEVEL,
        findings=tuple(order),
        weeks=tuple(_weeks(watching)),
        left_out={**windows.left_out, "messages whose window is still open": watching.closed.open},
        notes=_NOTES,
    )


def _span(window: Window) -> Span:
    period = window.period
    return Span(since=period.since, until=period.until, decisions=window.decisions, read=len(window.customers), why=period.why)


# ------------------------------------------------------------------------------------------------------------ what goes in


def _features(watching: Watching) -> list[Finding]:
    before, now = watching.windows.reference, watching.windows.recent
    readers: dict[str, list[str]] = {}
    for model, names in watching.champion.reads.items():
        for name in names:
            readers.setdefault(name, []).append(model)
    found, tested = list[Finding](), list[tuple[Finding, Shift]]()
    for at, feature in enumerate(watching.features):
        samples = [_sample(window, window.profile[:, at], window.defined[:, at]) for window in (before, now)]
        one = Finding(kind="feature", subject=feature.name, verdict="unknown", reason="", sizes=_sizes(samples))
        if (why := _too_little(samples)) is not None:
            meant = "" if before.defined[:, at].any() else "the profile did not have it then, or it meant something else: "
            found.append(replace(one, reason=meant + why))
        else:
            tested.append((one, shift(*samples)))
    level = _level(sum(moved.scale > 0 for _, moved in tested))
    # without the model's files nobody knows what it reads: then it may be anything
    unread = "no model reads it" if watching.champion.reads else None
    for one, moved in tested:
        mine = readers.get(one.subject)
        reads = f"read by {', '.join(mine)}" if mine else unread
        found.append(_moved(one, moved, level, reads or "", may_retrain=mine is not None or unread is None))
    return found


def _moved(one: Finding, moved: Shift, level: float, about: str, *, may_retrain: bool) -> Finding:
    if moved.scale == 0:
        same = "missing" if moved.bins == ("missing",) else "the same"
        return replace(one, verdict="ok", reason="; ".join(filter(None, (f"{same} in every decision, before and now", about))))
    excess = moved.psi - moved.by_chance
    verdict: Verdict = "ok"
    if moved.p < level and excess >= ENOUGH_TO_WATCH:
        verdict = "retrain" if excess >= ENOUGH_TO_RETRAIN and may_retrain else "watch"
    parts = [
        "no more than chance" if moved.p >= level else "too little to matter" if verdict == "ok" else _most_moved(moved),
        about,
    ]
    return replace(
        one,
        verdict=verdict,
        reason="; ".join(part for part in parts if part),
        number=moved.psi,
        unit="PSI",
        bound=moved.bound(level),
        p=moved.p,
        strength=max(0.0, excess) / ENOUGH_TO_RETRAIN,
        shares=tuple(Share(bin=name, before=a, now=b) for name, a, b in zip(moved.bins, moved.before, moved.now, strict=True)),
    )


def _most_moved(moved: Shift) -> str:
    at = int(np.argmax(np.abs(np.subtract(moved.now, moved.before))))
    return f"{moved.bins[at]}: {moved.now[at]:.1%} now, {moved.before[at]:.1%} before"


# ------------------------------------------------------------------------------------------------------------ what is said


def _said(watching: Watching) -> list[Finding]:
    """What the champion predicts, beside its first days, and how often nothing is chosen, beside the reference."""
    windows = watching.windows
    pairs = [("prediction", name, windows.first.said.get(name), values) for name, values in windows.recent.said.items()]
    pairs += [("choice", name, windows.reference.nothing.get(name), values) for name, values in windows.recent.nothing.items()]
    found, tested = list[Finding](), list[tuple[Finding, list[Sample]]]()
    for kind, name, before, now in pairs:
        window = windows.first if kind == "prediction" else windows.reference
        samples = [_sample(window, before), _sample(windows.recent, now)]
        one = Finding(
            kind="prediction" if kind == "prediction" else "choice",
            subject=name if kind == "prediction" else f"nothing at {name}",
            verdict="unknown",
            reason="",
            sizes=_sizes(samples),
        )
        if (why := _too_little(samples)) is not None:
            found.append(replace(one, reason=why))
        else:
            tested.append((one, samples))
    level = _level(len(tested))
    for one, samples in tested:
        found.append(_predicted(one, samples, level) if one.kind == "prediction" else _chosen(one, samples, level))
    return found


def _predicted(one: Finding, samples: Sequence[Sample], level: float) -> Finding:
    moved, mean = shift(samples[0], samples[1]), change(samples[0], samples[1])
    said = f"mean {mean.now:.4g} now, {mean.before:.4g} before, change [{mean.low:+.4g}, {mean.high:+.4g}]" if mean else ""
    return _moved(one, moved, level, said, may_retrain=True)


def _chosen(one: Finding, samples: Sequence[Sample], level: float) -> Finding:
    shown, strict = change(samples[0], samples[1]), change(samples[0], samples[1], level=1 - level)
    if shown is None or strict is None:  # the samples hold nothing else than present values
        return one
    apart = abs(shown.change)
    moved = not strict.low <= 0 <= strict.high
    return replace(
        one,
        verdict="watch" if moved and apart >= NOTHING_TO_WATCH else "ok",
        reason=f"nothing is chosen in {shown.now:.1%} of decisions, {shown.before:.1%} before",
        number=shown.change,
        unit="change",
        low=shown.low,
        high=shown.high,
        bound=(strict.high - strict.low) / 2 or None,
        strength=apart / NOTHING_TO_WATCH / 2,
    )


# ------------------------------------------------------------------------------------------------------------ what came


def _calibration(watching: Watching) -> list[Finding]:
    """By model at all touchpoints, and by action and touchpoint."""
    models = {one.name: one.model for one in watching.actions}
    groups: dict[tuple[str, str], tuple[bool, list[Sums]]] = {}
    for (action, touchpoint), sums in watching.closed.recent.items():
        model = models.get(action)
        for subject in ((model or "declared priors", ""), (model or "declared prior", f"{action} at {touchpoint}")):
            groups.setdefault(subject, (model is not None, []))[1].append(sums)
    shown = {subject: one for subject, one in groups.items() if sum(sums.shows for sums in one[1]) >= FEWEST_SHOWS}
    level = _level(len(shown))
    found = [_as_expected(": ".join(filter(None, subject)), *one, level) for subject, one in shown.items()]
    if not found:
        shows = sum(sums.shows for sums in watching.closed.recent.values())
        why = (
            f"{shows} messages shown, by the champion, whose window of success ended in the period, and at least "
            f"{FEWEST_SHOWS} are needed; report outcomes (shown, accepted), or give an earlier --since"
        )
        found.append(Finding(kind="calibration", subject="all models", verdict="unknown", reason=why))
    return found


def _as_expected(subject: str, has_model: bool, several: Sequence[Sums], level: float) -> Finding:
    one = Finding(
        kind="calibration", subject=subject, verdict="unknown", reason="what was expected is 0 or 1: no chance at all"
    )
    result = kept(several)
    if result is None:
        return one
    # none at all counts as half a success, or its distance would have no end
    off = abs(log(max(result.observed, 0.5 / result.shows) / result.expected))
    verdict: Verdict = "ok"
    if result.p < level and off >= log(OFF_TO_WATCH):
        verdict = "retrain" if off >= log(OFF_TO_RETRAIN) and has_model else "watch"
    cure = "" if has_model or verdict == "ok" else "; write what is seen as its prior in catalog.yaml, or give it a model"
    chance = "no more than chance: " if result.p >= level else "too little to matter: " if verdict == "ok" else ""
    return replace(
        one,
        verdict=verdict,
        reason=f"{chance}{result.observed:.2%} of {result.shows:,} messages succeeded, {result.expected:.2%} expected{cure}",
        number=result.ratio,
        unit="seen/expected",
        low=result.low / result.expected,
        high=result.high / result.expected,
        p=result.p,
        sizes=(0, result.shows),
        strength=off / log(OFF_TO_RETRAIN),
    )


def _weeks(watching: Watching) -> Iterator[Week]:
    """By model, the earliest first."""
    models = {one.name: one.model or "declared priors" for one in watching.actions}
    by_week: dict[tuple[int, str], list[Sums]] = {}
    for (week, action), sums in watching.closed.weeks.items():
        by_week.setdefault((week, models.get(action, "actions of before")), []).append(sums)
    for (week, model), several in sorted(by_week.items(), key=lambda one: (-one[0][0], one[0][1])):
        if (result := kept(several)) is not None:
            yield Week(
                since=watching.now - timedelta(weeks=week + 1),
                model=model,
                shows=result.shows,
                expected=result.expected,
                observed=result.observed,
                low=result.low,
                high=result.high,
            )


# ------------------------------------------------------------------------------------------------------------ its age


def _champion(watching: Watching) -> Finding:
    champion = watching.champion
    one = Finding(kind="champion", subject=f"bundle {champion.bundle or 'none'}", verdict="unknown", reason="")
    if champion.bundle is None or champion.began is None:
        return replace(one, reason="the newest decision had no model; 'kairos train' and 'kairos promote' make one")
    if champion.promoted not in (None, champion.bundle):
        why = f"{champion.promoted} is promoted, but the newest decision was made with this one; see /health of the servers"
        return replace(one, verdict="watch", reason=why)
    if champion.trouble is not None:
        return replace(one, reason=champion.trouble)
    days = (watching.now - champion.began) / timedelta(days=1)
    read = {name for names in champion.reads.values() for name in names}
    lives = [feature.half_life_days for feature in watching.features if feature.name in read and feature.ages == "decays"]
    life = median(lives) if lives else None
    faded = life is not None and days >= life
    telling = f"{days:.0f} days in use" + (f"; half of what its features hold fades in {life:g} days" if life else "")
    return replace(
        one,
        verdict="watch" if faded else "ok",
        reason=telling + (": half of what it learned from is no longer in them" if faded else ""),
        number=days,
        unit="days",
        strength=days / life / 2 if life else 0.0,
    )


def _sample(window: Window, values: NDArray[np.float32] | None, among: NDArray[np.bool_] | None = None) -> Sample:
    """The rows `among` which the values are asked, NaN for missing; without that, those with a value."""
    if values is None:
        return Sample(values=np.empty(0), customers=np.empty(0, dtype=np.uint64))
    rows = ~np.isnan(values) if among is None else among
    return Sample(values=values[rows].astype(np.float64), customers=window.customers[rows])


def _sizes(samples: Sequence[Sample]) -> tuple[int, int]:
    return samples[0].size, samples[1].size


def _too_little(samples: Sequence[Sample]) -> str | None:
    for sample, when in zip(samples, ("before", "now"), strict=True):
        if sample.size < FEWEST:
            return f"{sample.size} decisions {when} tell of it, and at least {FEWEST} are needed"
        if (customers := len(np.unique(sample.customers))) < FEWEST_CUSTOMERS:
            return f"{customers} customers {when}, and at least {FEWEST_CUSTOMERS} are needed"
    return None


def _level(tested: int) -> float:
    """The level of each test of a kind, so that any of all kinds is false in LEVEL of reports at most (Bonferroni)."""
    return LEVEL / 3 / max(1, tested)
