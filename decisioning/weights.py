"""What candidates are worth but for the customer, and which factors of the context bind them: compiled once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decisioning import preferences
from decisioning.catalog import Action, Catalog, Touchpoint
from decisioning.facts import action_lookup
from decisioning.policy import Policy
from decisioning.programs import Writer, known_before

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weights:
    """What n candidates are worth but for the customer, and which factors of C bind them.

    `incrementality`, `value`, `lever`, `threshold` are (n,). Weight w of the policy has the factor `factor[w]`, which runs
    with the fact `scale[w]` where there is one. Candidate k is bound by the weights
    `weight[weight_start[k]:weight_start[k + 1]]`, each where its program in `asks` holds (-1: always), and by the customer's
    words `word[word_start[k]:word_start[k + 1]]` on its topics and its group, which are told apart by `words`.
    """

    incrementality: Floats
    value: Floats
    lever: Floats
    threshold: Floats
    factor: Floats
    scale: tuple[str | None, ...]
    weight: Ints
    asks: Ints
    weight_start: Ints
    word: Ints
    word_start: Ints
    words: Mapping[str, int]

    @classmethod
    def of(
        cls, actions: Sequence[Action], touchpoint: Touchpoint, catalog: Catalog, policy: Policy, writer: Writer
    ) -> "Weights":
        """Of the candidates of a touchpoint; what the policy's weights ask is written as programs."""
        words: dict[str, int] = {}
        bound = [list(_bound(action, touchpoint, policy, writer)) for action in actions]
        spoken = [[words.setdefault(about, len(words)) for about in _about(action)] for action in actions]
        for weight in policy.weights:
            if weight.scale is not None:
                writer.reads(weight.scale)
        return cls(
            incrementality=np.array([catalog.groups[action.group].incrementality for action in actions]),
            value=np.array([action.value for action in actions]),
            lever=np.array([action.lever for action in actions]),
            threshold=np.array([action.cost + touchpoint.attention for action in actions]),
            factor=np.array([weight.factor for weight in policy.weights]),
            scale=tuple(weight.scale for weight in policy.weights),
            weight=np.array([at for one in bound for at, _ in one], dtype=np.int32),
            asks=np.array([program for one in bound for _, program in one], dtype=np.int32),
            weight_start=np.cumsum([0, *map(len, bound)], dtype=np.int32),
            word=np.array([at for one in spoken for at in one], dtype=np.int32),
            word_start=np.cumsum([0, *map(len, spoken)], dtype=np.int32),
            words=words,
        )


def _bound(action: Action, touchpoint: Touchpoint, policy: Policy, writer: Writer) -> Iterator[tuple[int, int]]:
    """The weights that may bind an action, each with the program that says whether it does."""
    for at, weight in enumerate(policy.weights):
        if weight.scope.covers(action, touchpoint):
            left = True if weight.when is None else known_before(weight.when, action_lookup(action), "action")
            if left is not False:
                yield at, -1 if left is True else writer.add(left)


def _about(action: Action) -> Iterator[str]:
    yield preferences.group(action.group)
    for topic in action.topics:
        yield preferences.topic(topic)
