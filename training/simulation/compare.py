"""Policies side by side: the same worlds, the same customers, the same luck; a process a world."""

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context

from threadpoolctl import threadpool_limits

from training.errors import TrainingError
from training.simulation.brand import NAMES
from training.simulation.environment import NOTHING, Environment
from training.simulation.kairos import Kairos
from training.simulation.policies import ORACLE_PRICES, Informed, Oracle, Policy, Random, Static
from training.simulation.population import populated
from training.simulation.propensity import Propensity
from training.simulation.ranges import KINDS, World, drawn
from training.simulation.run import Path, live
from training.simulation.squarecb import SETTINGS, Setting, SquareCB, installed

KAIROS, PROPENSITY, SQUARECB = "Kairos", "propensity only", "VW SquareCB"
ORACLE, INFORMED, RANDOM, STATIC = "oracle", "informed", "random", "best static"
LEARNING = (KAIROS, SQUARECB, PROPENSITY)
BESIDE = (STATIC, RANDOM, INFORMED, ORACLE)

_STATIC = {"nothing": NOTHING, **{name: at for at, name in enumerate(NAMES)}}
_PILOT = 10_000
"""What is added to a world's seed for the customers that Vowpal Wabbit is tuned on."""
_PILOT_SHARE = 3
"""They are one third as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`seeds` worlds from `first_seed` on, of one `kind` where one is named (see `ranges.KINDS`)."""

    seeds: int = 20
    customers: int = 1_000
    weeks: int = 26
    first_seed: int = 0
    kind: str | None = None
    workers: int = 2

    def __post_init__(self) -> None:
        least = {"seeds": 1, "customers": 20, "weeks": 4, "first_seed": 0, "workers": 1}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise TrainingError(f"simulate: {name.replace('_', ' ')} must be at least {number}")
        if self.kind is not None and self.kind not in KINDS:
            raise TrainingError(f"simulate: there is no kind {self.kind!r} of worlds; there are {', '.join(KINDS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One world: the path of each policy, and what was chosen in hindsight for those that are."""

    world: World
    paths: Mapping[str, Path]
    price: float
    static: str
    setting: str


def compared(settings: Settings, progress: Callable[[str, float], None] = lambda doing, share: None) -> tuple[Compared, ...]:
    """All worlds, in the order of their seeds. Deterministic: the same settings give the same, however many workers."""
    seeds = range(settings.first_seed, settings.first_seed + settings.seeds)
    found: dict[int, Compared] = {}
    # a fresh process each: what a forked one would take along of a parent's threads may lock it
    with ProcessPoolExecutor(min(settings.workers, settings.seeds), mp_context=get_context("spawn")) as workers:
        running = {workers.submit(_world, seed, settings): seed for seed in seeds}
        for done in as_completed(running):
            found[running[done]] = done.result()
            progress(f"world {running[done]}, {found[running[done]].world.kind}", len(found) / settings.seeds)
    return tuple(found[seed] for seed in seeds)


def _world(seed: int, settings: Settings) -> Compared:
    # a process a world: threads of its own would stand in the others' way
    with threadpool_limits(limits=1):
        return _compared(seed, settings)


def _compared(seed: int, settings: Settings) -> Compared:
    world = drawn(seed, settings.kind)
    population = populated(world, customers=settings.customers, weeks=settings.weeks)
    price = _priced(lambda price: live(world, population, partial(Oracle, price=price)))
    asks = _priced(lambda price: live(world, population, partial(Informed, price=price)))
    statics = {name: live(world, population, _always(action), price=price) for name, action in _STATIC.items()}
    static = max(statics, key=lambda one: _value(statics[one]))
    setting = _tuned(world, settings) if installed() else None
    made: dict[str, Callable[[Environment], Policy]] = {
        KAIROS: lambda env: Kairos(world, population),
        PROPENSITY: lambda env: Propensity(world),
        RANDOM: lambda env: Random(),
        INFORMED: lambda env: Informed(env, asks),
        ORACLE: lambda env: Oracle(env, price),
    }
    if setting is not None:
        made[SQUARECB] = _squarecb(world, setting)
    paths = {name: live(world, population, one, price=price) for name, one in made.items()}
    return Compared(
        world=world, paths={**paths, STATIC: statics[static]}, price=price, static=static, setting=str(setting or "")
    )


def _tuned(world: World, settings: Settings) -> Setting:
    """The best of all settings, by true value, among other customers of a world with the same parameters."""
    pilot = replace(world, seed=world.seed + _PILOT)
    customers = populated(pilot, customers=max(20, settings.customers // _PILOT_SHARE), weeks=settings.weeks)
    tried = {one: live(pilot, customers, _squarecb(pilot, one)) for one in SETTINGS}
    return max(tried, key=lambda one: _value(tried[one]))


def _priced(lived: Callable[[float], Path]) -> float:
    """The price of attention at which most was earned, the lower of equal ones."""
    paths = {price: lived(price) for price in ORACLE_PRICES}
    return max(paths, key=lambda one: (_value(paths[one]), -one))


def _squarecb(world: World, setting: Setting) -> Callable[[Environment], Policy]:
    return lambda env: SquareCB(world, setting)


def _always(action: int) -> Callable[[Environment], Policy]:
    return lambda env: Static(action)


def _value(path: Path) -> float:
    return float(path.value.sum())
