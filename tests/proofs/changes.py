"""Worlds changed in ways that must not matter, or must matter in one direction only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import numpy as np

from decisioning.catalog import Action, Catalog
from decisioning.domain import Learner, Predictions
from decisioning.policy import Cap, Policy, Rule, Scope, Weight
from decisioning.preferences import Preference
from tests import worlds
from tests.decisioning.oracle.world import World

T = TypeVar("T")
LATER = timedelta(days=17)


def permuted(world: World, rng: Random) -> World:
    """Everything that has no order of its own, in another one."""

    def mixed(some: Sequence[T]) -> tuple[T, ...]:
        return tuple(rng.sample(some, len(some)))

    def shuffled(some: Mapping[Any, T]) -> dict[Any, T]:
        return dict(mixed(list(some.items())))

    state, catalog = world.state, world.catalog
    return replace(
        world,
        catalog=Catalog(
            actions=mixed(catalog.actions),
            groups=shuffled(catalog.groups),
            touchpoints=shuffled(catalog.touchpoints),
            topics=catalog.topics,
        ),
        state=replace(
            state,
            contacts=mixed(state.contacts),
            refusals=mixed(state.refusals),
            postponed=mixed(state.postponed),
            preferences=shuffled(state.preferences),
            promises=shuffled(state.promises),
            consents=shuffled(state.consents),
        ),
        learner=replace(world.learner, evidence=shuffled(world.learner.evidence)),
        request=replace(world.request, context=shuffled(world.request.context)),
    )


def renamed(world: World, name_of: Callable[[str], str]) -> World:
    """The actions under other names, wherever they are spoken of."""
    state, catalog = world.state, world.catalog
    actions = tuple(replace(one, name=name_of(one.name)) for one in catalog.actions)
    changed = Catalog(actions=actions, groups=catalog.groups, touchpoints=catalog.touchpoints, topics=catalog.topics)
    from_old = [catalog.positions[old] for old in _in_order(catalog, changed, name_of)]
    return replace(
        world,
        catalog=changed,
        policy=_with_scopes(world.policy, name_of),
        state=replace(
            state,
            contacts=tuple(replace(one, action=name_of(one.action)) for one in state.contacts),
            refusals=tuple(replace(one, action=name_of(one.action)) for one in state.refusals),
            postponed=tuple(replace(one, action=name_of(one.action)) for one in state.postponed),
            promises={
                key: replace(one, make_good=None if one.make_good is None else name_of(one.make_good))
                for key, one in state.promises.items()
            },
        ),
        predictions=_moved(world.predictions, from_old),
        learner=Learner(evidence={(name_of(name), place): one for (name, place), one in world.learner.evidence.items()}),
        stock={name_of(name): left for name, left in world.stock.items()},
        ledger={name_of(name): one for name, one in world.ledger.items()},
    )


def with_one_out(world: World, name: str) -> World:
    """One more action, which is over long since."""
    like = world.catalog.actions[0]
    out: Action = replace(
        like,
        name=name,
        treatments={place: worlds.treatment("out") for place in world.catalog.touchpoints},
        valid_from=None,
        valid_until=world.now - LATER,
        mandatory=False,
    )
    catalog = replace(world.catalog, actions=(*world.catalog.actions, out))
    from_old = [world.catalog.positions.get(one.name, 0) for one in catalog.actions]
    return replace(world, catalog=catalog, predictions=_moved(world.predictions, from_old))


def with_the_future_moved(world: World) -> World:
    """What is still to come, later: promises due, actions that are not valid yet."""
    state, now = world.state, world.now
    return replace(
        world,
        catalog=replace(
            world.catalog,
            actions=tuple(
                replace(
                    one,
                    valid_from=one.valid_from + LATER,
                    valid_until=None if one.valid_until is None else one.valid_until + LATER,
                )
                if one.valid_from is not None and one.valid_from > now
                else one
                for one in world.catalog.actions
            ),
        ),
        state=replace(
            state,
            promises={
                key: replace(one, due=one.due + LATER) if one.due is not None and one.due >= now else one
                for key, one in state.promises.items()
            },
        ),
    )


def with_reservations_kept_longer(world: World) -> World:
    """What is still reserved, released later."""
    contacts = tuple(
        replace(one, expires_at=one.expires_at + LATER) if one.expires_at > world.now else one for one in world.state.contacts
    )
    return replace(world, state=replace(world.state, contacts=contacts))


def with_more(world: World, name: str, **factors: float) -> World:
    """One action's value or lever, multiplied."""
    raised = {key: getattr(world.catalog[name], key) * factor for key, factor in factors.items()}
    actions = tuple(replace(one, **raised) if one.name == name else one for one in world.catalog.actions)
    return replace(world, catalog=replace(world.catalog, actions=actions))


def with_topic_wanted(world: World, topic: str) -> World:
    word = Preference(at=world.now, wanted="more")
    return replace(world, state=replace(world.state, preferences={**world.state.preferences, f"topic:{topic}": word}))


def _in_order(old: Catalog, new: Catalog, name_of: Callable[[str], str]) -> list[str]:
    """The old names in the order of the new catalog."""
    before = {name_of(one.name): one.name for one in old.actions}
    return [before[one.name] for one in new.actions]


def _moved(predictions: Predictions, from_old: list[int]) -> Predictions:
    """The predictions of actions that stand in other places."""
    at = np.array(from_old, dtype=np.int64)
    return replace(
        predictions,
        response=predictions.response[at],
        assumed=predictions.assumed[at],
        nothing=None if predictions.nothing is None else predictions.nothing[at],
    )


def _with_scopes(policy: Policy, name_of: Callable[[str], str]) -> Policy:
    def scope(one: Scope) -> Scope:
        return replace(one, action=tuple(name_of(name) for name in one.action))

    def rules(some: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(replace(one, scope=scope(one.scope)) for one in some)

    caps: tuple[Cap, ...] = tuple(replace(one, scope=scope(one.scope)) for one in policy.contact.caps)
    weights: tuple[Weight, ...] = tuple(replace(one, scope=scope(one.scope)) for one in policy.weights)
    return replace(
        policy,
        rules=replace(
            policy.rules,
            eligibility=rules(policy.rules.eligibility),
            applicability=rules(policy.rules.applicability),
            suitability=rules(policy.rules.suitability),
        ),
        contact=replace(policy.contact, caps=caps),
        weights=weights,
    )
