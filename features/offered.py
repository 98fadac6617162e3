"""What could be chosen and what was, counted over decisions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from decisioning.rulebook import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """Over the decisions of all groups but control, at their first place.

    `asked` counts them by touchpoint. By (action, touchpoint), `weighed` counts those at which it has something to say,
    `possible` those at which it had a probability above 0, and `chosen` those at which it was chosen, also at further places.
    `kinds` counts by (touchpoint, kind) what was answered: action, wait or nothing. `contexts` counts by (touchpoint, journey
    stage), and `empty` those of them at which no action had a probability above 0.
    """

    asked: Mapping[str, int]
    weighed: Mapping[tuple[str, str], int]
    possible: Mapping[tuple[str, str], int]
    chosen: Mapping[tuple[str, str], int]
    kinds: Mapping[tuple[str, str], int]
    contexts: Mapping[tuple[str, str], int]
    empty: Mapping[tuple[str, str], int]


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts decisions, one after another. What it holds grows with actions and touchpoints, not with decisions."""

    plans: dict[int, tuple[Plan, list[int], list[int]]] = field(default_factory=dict)
    chosen: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    contexts: Counter[tuple[str, str]] = field(default_factory=Counter)
    empty: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, plan: Plan, stage: str, units: Sequence[int], results: Sequence[tuple[str, str | None]]) -> None:
        """`units` are those of the plan's actions and last of nothing; `results` the kind and action of each place."""
        place = plan.touchpoint.name
        _, asked, possible = self.plans.setdefault(id(plan), (plan, [0], [0] * len(plan.actions)))
        asked[0] += 1
        for at, unit in enumerate(units[:-1]):
            if unit > 0:
                possible[at] += 1
        self.kinds[place, results[0][0] if results else "nothing"] += 1
        for _, action in results:
            if action is not None:
                self.chosen[action, place] += 1
        self.contexts[place, stage] += 1
        if not any(units[:-1]):
            self.empty[place, stage] += 1

    def offered(self) -> Offered:
        asked, weighed, possible = Counter[str](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for plan, (count,), could in self.plans.values():
            asked[plan.touchpoint.name] += count
            for action, times in zip(plan.actions, could, strict=True):
                weighed[action.name, plan.touchpoint.name] += count
                possible[action.name, plan.touchpoint.name] += times
        return Offered(
            asked=asked,
            weighed=weighed,
            possible=possible,
            chosen=self.chosen,
            kinds=self.kinds,
            contexts=self.contexts,
            empty=self.empty,
        )
