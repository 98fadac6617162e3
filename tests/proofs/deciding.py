"""The one place where proofs call the core."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from decisioning.catalog import Catalog
from decisioning.customer import FeatureIndex
from decisioning.decide import decide
from decisioning.domain import Candidate, Decision, Rejection, Request, Result, TrialGroup
from decisioning.policy import Policy
from decisioning.rulebook import Rulebook, compile_rules
from features.log.decisions import decision_of, replayed, to_record
from features.log.inputs import Inputs
from tests import worlds
from tests.decisioning.oracle.world import World

BRAND = "Corner Market"
INDEX: FeatureIndex = worlds.index()

_KEPT = 200
_compiled: dict[tuple[int, int], tuple[Catalog, Policy, Rulebook]] = {}


def rulebook(catalog: Catalog, policy: Policy) -> Rulebook:
    """Compiled once for a catalog and a policy, which are kept so that nothing else can take their place in memory."""
    kept = _compiled.get((id(catalog), id(policy)))
    if kept is None:
        if len(_compiled) >= _KEPT:
            _compiled.clear()
        kept = _compiled[id(catalog), id(policy)] = (catalog, policy, compile_rules(catalog, policy, INDEX))
    return kept[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision with all that it was made of, built and kept."""

    request: Request
    results: tuple[Result, ...]
    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]
    group: TrialGroup
    journey_stage: str
    arms: Mapping[str, str]
    reasons: tuple[str, ...]
    nothing_units: int

    @classmethod
    def of(cls, decision: Decision) -> "Decided":
        return cls(**{one.name: getattr(decision, one.name) for one in fields(cls)})


def decided(world: World) -> Decided:
    return Decided.of(made(world))


def made(world: World) -> Decision:
    """The decision as it comes: its trace is built when somebody asks."""
    return decide(
        request=world.request,
        profile=world.profile,
        state=world.state,
        predictions=world.predictions,
        learner=world.learner,
        stock=world.stock,
        population=world.population,
        ledger=world.ledger,
        rulebook=rulebook(world.catalog, world.policy),
        brand=BRAND,
        now=world.now,
        salt=world.salt,
    )


def decided_from_its_record(world: World) -> tuple[Decision, Decision]:
    """What the record of a decision says was answered, and what is decided again from that record alone."""
    inputs = Inputs(
        profile=world.profile,
        state=world.state,
        predictions=world.predictions,
        learner=world.learner,
        stock=world.stock,
        population=world.population,
        ledger=world.ledger,
        brand=BRAND,
        salt=world.salt,
        degraded=(),
        catalog="c0ffee",
        bundle=None,
        tzdata="2026.6",
    )
    book = rulebook(world.catalog, world.policy)
    record = to_record(made(world), inputs, book, known_time=world.now)
    return decision_of(record), replayed(record, book, salt=world.salt)
