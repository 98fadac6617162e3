"""Where something else may be said: only where it would be worth its attention, and where most of it would."""

from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pytest

from decisioning.customer import Profile
from decisioning.domain import Evidence, Wait
from decisioning.policy import Cap, Contact, Exploration, Groups, QuietHours, Scope
from decisioning.promises import Promise
from tests import worlds
from tests.worlds import NOW, decided

DAY = timedelta(days=1)

NOTHING_SOLD_HERE = worlds.touchpoint(jobs=("serve",))


def waits(*actions: Any, places: tuple[Any, ...] = (), **changes: Any) -> Wait | None:
    """What the (last) place at the app's home, where nothing is sold, is told to wait for."""
    of = worlds.catalog(*actions, touchpoints=(NOTHING_SOLD_HERE, *(places or (worlds.email(),))))
    return decided(of, **changes).results[-1].wait


def test_what_may_not_be_said_here_but_there_is_waited_for_there() -> None:
    assert waits(worlds.action()) == Wait(until=NOW, because="better_elsewhere", touchpoint="email")


def test_of_several_places_the_one_with_what_leaves_most_and_of_equal_ones_the_first_in_time() -> None:
    both = {"email": worlds.treatment(), "post": worlds.treatment()}
    cheap, dear = (
        worlds.action("cheap", value=1.0, treatments=both | {"app_home": worlds.treatment()}),
        worlds.action("dear", value=9.0, treatments={"app_home": worlds.treatment(), "post": worlds.treatment()}),
    )
    quiet = worlds.policy(contact=Contact(quiet_hours=QuietHours(start=time(8), end=time(12))))
    places = (worlds.email(), worlds.touchpoint("post", channel="post", direction="inbound"))
    found = waits(cheap, dear, places=(worlds.email(), worlds.email(name="post", channel="post")))
    assert found is not None and found.touchpoint == "post"
    found = waits(cheap, places=places, policy=quiet)
    assert found == Wait(until=NOW, because="better_elsewhere", touchpoint="post")
    found = waits(cheap, places=(worlds.email(),), policy=quiet)
    assert found is not None and found.until == datetime(2018, 1, 1, 17, tzinfo=NOW.tzinfo)


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": worlds.policy(groups=Groups(control=1.0))},
        {"state": worlds.state(known=False), "profile": Profile.empty(worlds.index())},
        {"state": worlds.state(consents={})},
        {"state": worlds.state(closed_channels=("email",))},
    ],
    ids=["control group", "stranger", "no consent", "channel closed there"],
)
def test_nobody_is_sent_elsewhere_for_what_may_not_be_said_there(changes: dict[str, Any]) -> None:
    assert waits(worlds.action(), **changes) is None


def test_what_makes_good_a_promise_is_looked_for_at_every_place() -> None:
    sorry = worlds.action("sorry", job="recover", treatments={"email": worlds.treatment()})
    here = worlds.action(treatments={"app_home": worlds.treatment()})
    state = worlds.state(promises={"p": Promise(made_at=NOW - 9 * DAY, due=NOW - DAY, make_good="sorry")})
    found = waits(here, sorry, state=state)
    assert found is not None and found.touchpoint == "email"
    assert waits(here, sorry, places=(worlds.email(attention=99.0),), state=state) == found
    assert waits(here, sorry) is None
    assert waits(worlds.action(), state=state) is None


def test_what_was_just_said_here_is_not_waited_for_elsewhere() -> None:
    of = worlds.catalog(worlds.action())
    first, second = decided(of, request=worlds.request(placements=worlds.slots(2))).results
    assert (first.action, second.kind, second.wait) == ("coupon", "nothing", None)


def test_what_was_just_said_here_is_not_waited_for_elsewhere_even_where_it_has_filled_its_cap() -> None:
    cap = Cap(rule="one_here", most=1, within=7 * DAY, scope=Scope(channel=("app",)))
    of = worlds.catalog(worlds.action("best", value=99.0), worlds.action("next", treatments={"app_home": worlds.treatment()}))
    certain = Exploration(mass=0.0, strength=1e6)
    policy = worlds.policy(contact=Contact(caps=(cap,)), exploration=certain)
    first, second = decided(of, policy=policy, request=worlds.request(placements=worlds.slots(2))).results
    assert (first.action, second.kind, second.wait) == ("best", "nothing", None)


# ------------------------------------------------------------------------------------------------ what is worth its attention

BOTH = worlds.catalog(worlds.action(), touchpoints=(NOTHING_SOLD_HERE, worlds.email()))
DEAR = (worlds.email(attention=3.0),)
"""Half of a coupon's responses are its own: 0.2 x 0.5 x 10 is less than 3."""
AT_RANDOM = {"policy": worlds.policy(groups=Groups(random=1.0))}
HARMFUL = {"predictions": worlds.predictions(BOTH, nothing=np.array([0.5]))}


@pytest.mark.parametrize(
    ("places", "changes", "named"),
    [
        (DEAR, {}, False),
        ((worlds.email(attention=0.9),), {}, True),
        (DEAR, {"predictions": worlds.predictions(BOTH, 0.8)}, True),
        ((), HARMFUL, False),
        (DEAR, AT_RANDOM, True),
        ((), HARMFUL | AT_RANDOM, True),
        ((worlds.email(attention=0.5),), {"learner": worlds.learner(coupon=Evidence(shows=999, expected=99.0))}, False),
    ],
    ids=["not worth it", "worth it", "worth it to this one", "harmful", "dear, at random", "harmful, at random", "as learned"],
)
def test_a_place_is_named_only_where_asking_there_is_worth_it(
    places: tuple[Any, ...], changes: dict[str, Any], named: bool
) -> None:
    assert (waits(worlds.action(), places=places, **changes) is not None) is named


@pytest.mark.parametrize("attention", [0.0, 99.0])
def test_what_must_be_said_is_said_where_it_may_be_whatever_it_is_worth_and_to_everybody(attention: float) -> None:
    places = (worlds.email(attention=attention), worlds.touchpoint("post", channel="post"))
    recall = worlds.action("recall", mandatory=True, value=0.0)
    coupon = worlds.action("coupon", treatments={"app_home": worlds.treatment(), "post": worlds.treatment()})
    for groups in (Groups(), Groups(control=1.0), Groups(random=1.0)):
        found = waits(recall, coupon, places=places, policy=worlds.policy(groups=groups))
        assert found is not None and found.touchpoint == "email"


def test_of_two_places_the_one_with_the_higher_expected_priority_is_named() -> None:
    likely = worlds.action("likely", value=5.0, treatments={"app_home": worlds.treatment(), "post": worlds.treatment()})
    dear = worlds.action("dear", value=9.0)
    places = (worlds.email(), worlds.touchpoint("post", channel="post"))
    of = worlds.catalog(likely, dear, touchpoints=(NOTHING_SOLD_HERE, *places))
    found = waits(likely, dear, places=places, predictions=worlds.predictions(of, {"likely": 0.9, "dear": 0.1}))
    assert found is not None and found.touchpoint == "post"
