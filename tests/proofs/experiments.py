"""Groups and experiments do not interfere: what a customer is in here says nothing of what they are in there."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.stats import chi2_contingency, chisquare

from decisioning.conditions import Test
from decisioning.policy import Experiment, Groups, Policy
from tests import worlds
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import INDEX, decided
from tests.proofs.finding import Finding, found

LEAST_P = 0.01
"""Of all tests together: each must exceed its part of it (Bonferroni)."""
EXPERIMENTS = (
    Experiment(experiment="wording", arms={"old": 0.4, "new": 0.4}),
    Experiment(experiment="picture", arms={"sea": 0.3, "wood": 0.3, "town": 0.4}),
    Experiment(experiment="hour", arms={"early": 0.5, "late": 0.5}, within={"wording": ("new",)}),
)
GROUPS = Groups(control=0.2, random=0.3)
POLICY: Policy = worlds.policy(experiments=EXPERIMENTS, groups=GROUPS)
CATALOG = worlds.catalog(
    *(
        # mandatory: the control group is told of its arm, too
        worlds.action(f"{one.experiment}_{arm}", eligible=Test(f"experiment.{one.experiment}", "=", arm), mandatory=True)
        for one in EXPERIMENTS
        for arm in one.arms
    )
)
Places = Mapping[str, str]
"""In which group and arms a customer is, by the name of each split; those they take no part in are left out."""


def splits_are_independent(size: int, seed: int) -> Finding:
    """So many customers: the shares are those declared, and each two splits are independent, of another salt's too."""
    seen = [{**_places(f"c{at}", f"salt {seed}"), **_other(_places(f"c{at}", f"other {seed}"))} for at in range(size)]
    tests = dict(tested(seen))
    counted = {"customers": size, "tests": len(tests), "least p": min(tests.values())}
    faults = [f"{name}: p = {p:.2g}" for name, p in tests.items() if p <= LEAST_P / len(tests)]
    outside = [one for one in seen if ("hour" in one) != (one.get("wording") == "new")]
    faults += [f"in an experiment within another without its arm: {one}" for one in outside]
    return found("splits are independent", size=size, seed=seed, counted=counted, faults=faults)


def tested(seen: Sequence[Places]) -> Iterator[tuple[str, float]]:
    """The p of the declared shares of each split, and of the independence of each two among those in both."""
    declared = {
        "group": {"control": GROUPS.control, "random": GROUPS.random},
        **{one.experiment: one.arms for one in EXPERIMENTS},
    }
    for name, shares in declared.items():
        takes_part = [one for one in seen if name != "hour" or one.get("wording") == "new"]
        counts = Counter(one.get(name, "") for one in takes_part)
        rest = next(iter(set(counts) - set(shares)), "")
        expected = {**shares, rest: 1.0 - sum(shares.values())}
        cells = [arm for arm, share in expected.items() if share * len(takes_part) >= 1]
        yield (
            f"shares of {name}",
            float(
                chisquare(
                    [counts[arm] for arm in cells], [expected[arm] * len(takes_part) for arm in cells], sum_check=False
                ).pvalue
            ),
        )
    for one, other in combinations(sorted({name for each in seen for name in each}), 2):
        pairs = Counter((each[one], each[other]) for each in seen if one in each and other in each)
        rows, columns = (sorted({pair[at] for pair in pairs}) for at in (0, 1))
        if len(rows) > 1 and len(columns) > 1:
            table = np.array([[pairs[row, column] for column in columns] for row in rows])
            yield f"{one} and {other}", float(chi2_contingency(table).pvalue)


def _other(places: Places) -> dict[str, str]:
    return {f"{name} by another salt": place for name, place in places.items()}


def _places(customer: str, salt: str) -> dict[str, str]:
    """What the core says that a customer is in."""
    world = World(
        catalog=CATALOG,
        policy=POLICY,
        request=worlds.request(customer_id=customer),
        profile=_PROFILE,
        state=worlds.state(customer_id=customer),
        predictions=_PREDICTIONS,
        learner=worlds.learner(),
        stock={},
        ledger={},
        population={},
        now=worlds.NOW,
        salt=salt,
    )
    decision = decided(world)
    arms = dict(one.action.split("_") for one in decision.candidates)
    return {"group": decision.group, **arms}


_PROFILE = worlds.profile(of=INDEX)
_PREDICTIONS = worlds.predictions(CATALOG)
