"""A brand's catalog and policy, compiled: for each touchpoint its candidates, what each must pass, and what each is worth.

Compiled once for a published version; a decision only reads it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from decisioning import tiers
from decisioning.caps import Caps
from decisioning.catalog import Action, Catalog, Touchpoint
from decisioning.customer import FeatureIndex
from decisioning.exploration import JOBS
from decisioning.facts import action_lookup
from decisioning.habits import Habits
from decisioning.policy import Policy
from decisioning.programs import Flags, Programs, Writer, known_before
from decisioning.tiers import Key, Rule
from decisioning.voice import MOODS, Mood, fits
from decisioning.weights import Weights

STAGE = "stage"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Gates:
    """What n candidates must pass. A gate is a flag: open or closed for the customer of a decision.

    The first gates are answered by programs, the others are found in `keys` by what they are about and answered by
    `decisioning.eligibility`; `open` says which are open while nothing is known against them. Candidate k passes where all
    gates `gate[start[k]:start[k + 1]]` are open; the first closed one names its rule, `rules[rule[...]]`.
    """

    keys: Mapping[Key, int]
    open: Flags
    gate: NDArray[np.int32]
    start: NDArray[np.int32]
    rule: NDArray[np.int32]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plan:
    """What is asked and weighed at one touchpoint, over its n candidates in the order of their names.

    `positions` (n,) are theirs in the catalog. The first programs are those of the policy's journey, stage by stage.
    `scale` are the slots of the facts that weights run with, -1 for none; `deadlines` the gate of each moment until which an
    outbound message must have gone, `repeated` the actions that are said at most once in a time, `out_of_tone` the gates
    that each stage and mood closes. `jobs` are positions in JOBS; `group_of` is by the name of any action of the catalog.
    """

    touchpoint: Touchpoint
    actions: tuple[Action, ...]
    positions: NDArray[np.intp]
    programs: Programs
    gates: Gates
    caps: Caps
    weights: Weights
    scale: NDArray[np.int32]
    deadlines: tuple[tuple[datetime | None, int], ...]
    repeated: tuple[tuple[str, timedelta], ...]
    habits: Habits
    out_of_tone: Mapping[tuple[str, Mood], NDArray[np.int32]]
    jobs: NDArray[np.int8]
    mandatory: Flags
    group_of: Mapping[str, str]

    def position(self, action: str) -> int:
        return next(at for at, one in enumerate(self.actions) if one.name == action)


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """Everything a brand decided, ready to decide by. `plans` are by touchpoint."""

    catalog: Catalog
    policy: Policy
    index: FeatureIndex
    plans: Mapping[str, Plan]


def compile_rules(catalog: Catalog, policy: Policy, index: FeatureIndex) -> Rulebook:
    """Compile what `decisioning.check` finds no fault in."""
    plans = {name: _plan(catalog, policy, index, touchpoint) for name, touchpoint in catalog.touchpoints.items()}
    return Rulebook(catalog, policy, index, plans)


def _plan(catalog: Catalog, policy: Policy, index: FeatureIndex, touchpoint: Touchpoint) -> Plan:
    actions, writer = catalog.at(touchpoint.name), Writer(index)
    for stage in policy.journey:
        writer.add_new(True if stage.when is None else stage.when)
    writer.reads(STAGE)
    asked = [_asked(action, touchpoint, policy, writer) for action in actions]
    weights = Weights.of(actions, touchpoint, catalog, policy, writer)
    programs = writer.done()
    gates = _gates(asked, programs.count)
    return Plan(
        touchpoint=touchpoint,
        actions=actions,
        positions=np.array([catalog.positions[action.name] for action in actions], dtype=np.intp),
        programs=programs,
        gates=gates,
        caps=_caps(catalog, policy, gates),
        weights=weights,
        scale=np.array([-1 if name is None else programs.slots[name] for name in weights.scale], dtype=np.int32),
        deadlines=tuple(
            (until, at)
            for until in dict.fromkeys(action.valid_until for action in actions)
            if (at := gates.keys.get(("in_time", tiers.until_key(until)))) is not None
        ),
        repeated=tuple((action.name, action.every) for action in actions if action.every is not None),
        habits=Habits.of(index, touchpoint.channel),
        out_of_tone={
            (stage.stage, mood): _out_of_tone(actions, touchpoint, policy, gates, stage.stage, mood)
            for stage in policy.journey
            for mood in MOODS
        },
        jobs=np.array([JOBS.index(action.job) for action in actions], dtype=np.int8),
        mandatory=np.array([action.mandatory for action in actions], dtype=np.bool_),
        group_of={action.name: action.group for action in catalog.actions},
    )


def _out_of_tone(
    actions: Sequence[Action], touchpoint: Touchpoint, policy: Policy, gates: Gates, stage: str, mood: Mood
) -> NDArray[np.int32]:
    """The gates of the actions that have nothing to say here in a tone for a customer in this stage and mood."""
    silent = (
        gates.keys["in_tone", action.name]
        for action in actions
        if not fits(action.treatments[touchpoint.name], policy.voice, stage=stage, mood=mood)
    )
    return np.fromiter(silent, dtype=np.int32)


def _asked(action: Action, touchpoint: Touchpoint, policy: Policy, writer: Writer) -> list[tuple[int | Key, Rule]]:
    """The lines of an action, its conditions written as programs. What is always true is not asked."""
    read, found = action_lookup(action), list[tuple[int | Key, Rule]]()
    for question, rule in tiers.lines(action, touchpoint, policy):
        if isinstance(question, tuple):
            found.append((question, rule))
            continue
        left = known_before(question, read, "action")
        if left is not True:
            found.append((tiers.NEVER if left is False else writer.add(left), rule))
    return found


def _gates(asked: Sequence[Sequence[tuple[int | Key, Rule]]], programs: int) -> Gates:
    keys: dict[Key, int] = {}
    rules: dict[Rule, int] = {}
    gate, rule = [], []
    for lines in asked:
        for question, one in lines:
            if isinstance(question, tuple):
                question = keys.setdefault(question, programs + len(keys))
            gate.append(question)
            rule.append(rules.setdefault(one, len(rules)))
    open_ = np.ones(programs + len(keys), dtype=np.bool_)
    if tiers.NEVER in keys:
        open_[keys[tiers.NEVER]] = False
    return Gates(
        keys=keys,
        open=open_,
        gate=np.array(gate, dtype=np.int32),
        start=np.cumsum([0, *map(len, asked)], dtype=np.int32),
        rule=np.array(rule, dtype=np.int32),
        rules=tuple(rules),
    )


def _caps(catalog: Catalog, policy: Policy, gates: Gates) -> Caps:
    """The counters of the caps that bind a candidate here, each with its gate."""
    found = [(int(key[1]), key[2], at) for key, at in gates.keys.items() if key[0] == "cap"]
    caps = policy.contact.caps
    return Caps(
        catalog=catalog,
        caps=caps,
        counters={(cap, key): at for at, (cap, key, _) in enumerate(found)},
        most=tuple(caps[cap].most for cap, _, _ in found),
        gates=tuple(at for _, _, at in found),
    )
