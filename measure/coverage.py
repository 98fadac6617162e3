"""What the catalog leaves uncovered: actions that never come up or that nobody has learned of, contexts without candidates."""

from collections.abc import Iterator
from dataclasses import replace

from measure.drift_report import Finding
from measure.watched import Action, Offered, Watching

FEWEST = 200
"""Decisions at which an action has something to say, before never coming up says anything."""
FEWEST_POSSIBLE, FEWEST_IN_CONTEXT = 50, 50
TO_LEARN = 100
"""Shows from which a model can begin to learn of an action."""
OFTEN_EMPTY = 0.5
"""The share of decisions of a context without any candidate from which it is worth a look."""


def action_findings(watching: Watching) -> Iterator[Finding]:
    """One for each action of the catalog in force whose time is now."""
    for action in watching.actions:
        if not action.over:
            yield _action(action, watching)


def context_findings(offered: Offered) -> Iterator[Finding]:
    """One for each touchpoint, and one for each journey stage there with enough decisions."""
    for touchpoint, asked in sorted(offered.asked.items()):
        nothing = offered.kinds.get((touchpoint, "nothing"), 0) / asked
        waits = offered.kinds.get((touchpoint, "wait"), 0) / asked
        yield Finding(
            kind="context",
            subject=touchpoint,
            verdict="ok",
            reason=f"of {asked:,} decisions {nothing:.1%} chose nothing and {waits:.1%} waited",
            number=nothing,
            unit="nothing",
            sizes=(0, asked),
        )
    for (touchpoint, stage), asked in sorted(offered.contexts.items()):
        if asked < FEWEST_IN_CONTEXT:
            continue
        share = offered.empty.get((touchpoint, stage), 0) / asked
        yield Finding(
            kind="context",
            subject=f"{touchpoint}, {stage}",
            verdict="watch" if share >= OFTEN_EMPTY else "ok",
            reason=f"no action had a chance in {share:.1%} of {asked:,} decisions"
            + ("; the catalog has nothing for this stage here, or the rules keep it out" if share >= OFTEN_EMPTY else ""),
            number=share,
            unit="empty",
            sizes=(0, asked),
            strength=share / 2,
        )


def _action(action: Action, watching: Watching) -> Finding:
    offered, began = watching.windows.offered, watching.champion.began
    weighed, possible, chosen = (
        sum(counts.get((action.name, place), 0) for place in action.touchpoints)
        for counts in (offered.weighed, offered.possible, offered.chosen)
    )
    one = Finding(
        kind="action",
        subject=action.name,
        verdict="ok",
        reason=f"possible in {possible:,} of {weighed:,} decisions, chosen {chosen:,} times, shown {action.shows:,} times ever",
        number=possible / weighed if weighed else None,
        unit="possible" if weighed else "",
        sizes=(0, weighed),
    )
    is_new = action.known is not None and began is not None and action.known > began
    if action.model is not None and is_new and action.shows >= TO_LEARN:
        why = f"newer than the models: {action.model} never learned of it, and {action.shows:,} shows are there to learn from"
        return replace(one, verdict="retrain", reason=why, strength=1.0)
    if action.model is not None and is_new:
        why = f"newer than the models: {action.model} never learned of it; {action.shows} shows so far, {TO_LEARN} teach"
        return replace(one, verdict="watch", reason=why, strength=0.9)
    if weighed < FEWEST or action.waits:
        return one
    places = ", ".join(action.touchpoints)
    if possible == 0:
        why = f"never a candidate in {weighed:,} decisions at {places}: a rule keeps it out, or it is never worth its cost"
        return replace(one, verdict="watch", reason=why, strength=0.8)
    if chosen == 0 and possible >= FEWEST_POSSIBLE:
        return replace(one, verdict="watch", reason=f"never chosen, though {possible:,} decisions could have", strength=0.6)
    if possible >= FEWEST and action.expected < watching.strength:
        why = (
            f"too little evidence: {action.shows:,} shows with {action.expected:.1f} successes expected, and its prediction "
            f"weighs as much as {watching.strength:g}"
        )
        return replace(one, verdict="watch", reason=why, strength=0.4)
    return one
