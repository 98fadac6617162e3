from dataclasses import fields, replace

import numpy as np
import pytest

from training.errors import TrainingError
from training.simulation.brand import NAMES
from training.simulation.compare import Settings
from training.simulation.environment import NOTHING, Environment
from training.simulation.policies import Informed, Oracle, Random, Static, any_of, best_of
from training.simulation.population import populated
from training.simulation.propensity import Propensity
from training.simulation.ranges import KINDS, USUAL, World, drawn
from training.simulation.run import live
from training.simulation.squarecb import SETTINGS, SquareCB


@pytest.fixture(scope="module")
def usual():
    world = drawn(4)
    return world, populated(world, customers=200, weeks=8)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_world_is_drawn_from_its_ranges(kind):
    world = drawn(7, kind)

    for name in (one.name for one in fields(World) if one.name in USUAL):
        low, high = {**USUAL, **KINDS[kind]}[name]
        assert low <= getattr(world, name) <= high


def test_kinds_take_turns_and_every_other_world_is_usual():
    kinds = [drawn(seed).kind for seed in range(14)]

    assert kinds[::2] == ["usual"] * 7
    assert set(kinds[1::2]) == set(KINDS) - {"usual"}


def test_a_seed_gives_the_same_customers_and_the_same_path(usual):
    world, population = usual
    again = populated(world, customers=200, weeks=8)

    assert (again.wish == population.wish).all()
    first, second = (live(world, one, lambda _: Random()) for one in (population, again))
    assert (first.value == second.value).all()


def test_silence_repels_nobody_and_leaves_every_sleeping_dog_alone(usual):
    path = live(*usual, lambda _: Static(NOTHING))

    assert path.contacts.sum() == path.complaints.sum() == path.reached.sum() == 0
    assert path.dogs.sum() > 0
    assert (path.alone == path.dogs).all()


def test_the_oracle_earns_most(usual):
    world, population = usual
    oracle = live(world, population, lambda env: Oracle(env, 0.5)).value.sum()

    others = [lambda _: Random(), lambda _: Propensity(world), lambda _: SquareCB(world, SETTINGS[0])]
    others += [lambda _, action=action: Static(action) for action in (NOTHING, *range(len(NAMES)))]
    assert all(live(world, population, made).value.sum() < oracle for made in others)


def test_what_can_be_seen_is_worth_less_than_all_and_more_than_chance(usual):
    world, population = usual
    informed, oracle, chance = (
        live(world, population, made)
        for made in (lambda env: Informed(env, 0.5), lambda env: Oracle(env, 0.5), lambda _: Random())
    )

    assert chance.value.sum() < informed.value.sum() < oracle.value.sum()


def test_where_nothing_is_hidden_what_is_seen_is_the_truth():
    world = replace(drawn(4), hidden=0.0)
    population = populated(world, customers=50, weeks=4)
    environment = Environment(world, population)
    asked = environment.ask(0, 0)

    true, told = environment.truth(asked, asked.hour), environment.told(asked, asked.hour)
    assert told.treated == pytest.approx(true.treated)
    assert told.nothing == pytest.approx(true.nothing)


def test_what_is_seen_is_the_mean_of_those_who_look_alike():
    """Ten thousand with the same traits, each with a hidden part of their own."""
    world = replace(drawn(4), hidden=0.5, drift=0.0)
    population = populated(world, customers=10_000, weeks=4)
    rng, spread = np.random.default_rng(1), np.sqrt(world.hidden)
    taste = world.lift_spread * rng.standard_normal(10_000)
    alike = replace(
        population,
        told_base=np.full(10_000, population.told_base[0]),
        told_wish=np.tile(population.told_wish[:, :1], (1, 10_000, 1)),
        base=population.told_base[0] + spread * world.base_spread * rng.standard_normal(10_000),
        wish=population.told_wish[:, :1] + spread * taste[None, :, None],
    )
    environment = Environment(world, alike)
    asked = environment.ask(0, 0)

    true, told = environment.truth(asked, alike.hour), environment.told(asked, alike.hour)
    assert told.treated[0] == pytest.approx(true.treated.mean(axis=0), abs=0.01)
    assert told.nothing[0] == pytest.approx(true.nothing.mean(), abs=0.005)


def test_money_and_reach_are_all_the_oracle_s_and_none_of_silence(usual):
    world, population = usual
    oracle = live(world, population, lambda env: Oracle(env, 0.5), price=0.5)
    silent = live(world, population, lambda _: Static(NOTHING), price=0.5)

    assert oracle.attained.sum() == pytest.approx(oracle.attainable.sum())
    assert silent.attained.sum() == silent.met.sum() == 0
    assert (oracle.met > 0.99 * oracle.audience).all()
    assert 0 < silent.audience.max() <= (~population.control).sum()
    assert oracle.persuadables_own.sum() < oracle.persuadables.sum()


def test_where_no_message_changes_anything_silence_is_best():
    world = drawn(1, "no uplift")
    population = populated(world, customers=100, weeks=6)
    silent = live(world, population, lambda _: Static(NOTHING))

    assert silent.value.sum() > live(world, population, lambda _: Random()).value.sum()
    assert live(world, population, lambda env: Oracle(env, 0.0)).contacts.sum() == 0
    assert silent.dogs.sum() == silent.persuadables.sum() == 0


def test_the_control_group_is_told_nothing_by_anybody(usual):
    world, population = usual
    everyone = replace(population, control=np.ones(200, dtype=np.bool_))

    for made in (lambda _: Random(), lambda env: Oracle(env, 0.0), lambda _: Propensity(world)):
        assert live(world, everyone, made).contacts.sum() == 0


def test_a_message_that_the_rules_forbid_is_refused(usual):
    class Stubborn(Static):
        def choose(self, asked, luck):
            return np.full(len(asked.who), 0), asked.hour

    with pytest.raises(ValueError, match="break the brand's rules"):
        live(*usual, lambda _: Stubborn(0))


def test_any_of_what_is_allowed_is_drawn_alike():
    allowed = np.tile(np.array([True, False, True]), (9_000, 1))
    luck = (np.arange(9_000) + 0.5) / 9_000

    drawn_ = any_of(allowed, luck, nothing=True)
    assert [int((drawn_ == one).sum()) for one in (NOTHING, 0, 1, 2)] == [3_000, 3_000, 0, 3_000]
    assert (any_of(np.zeros((2, 3), dtype=np.bool_), np.array([0.1, 0.9]), nothing=False) == NOTHING).all()


def test_the_best_is_allowed_and_worth_more_than_nothing():
    worth = np.array([[3.0, 2.0], [3.0, -1.0], [-1.0, -2.0]])
    allowed = np.array([[False, True], [True, True], [True, True]])

    assert best_of(worth, allowed).tolist() == [1, 0, NOTHING]


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"customers": 3}, {"weeks": 1}, {"kind": "perfect"}, {"workers": 0}])
def test_settings_that_cannot_be_simulated_are_refused(wrong):
    with pytest.raises(TrainingError, match="simulate"):
        Settings(**wrong)


def test_without_vowpal_wabbit_its_policy_says_how_to_install_it(monkeypatch, usual):
    monkeypatch.setitem(__import__("sys").modules, "vowpalwabbit", None)

    with pytest.raises(TrainingError, match=r"kairos-nba\[simulate\]"):
        SquareCB(usual[0], SETTINGS[0])
