"""The simulated brand: what it can say, where, what that costs, and the rules that bind every policy alike."""

from datetime import UTC, datetime, time, timedelta

from decisioning.catalog import Action, ActionGroup, Catalog, OutcomeRule, Response, Touchpoint, Treatment
from decisioning.conditions import parse
from decisioning.customer import Feature, FeatureIndex
from decisioning.domain import Job
from decisioning.policy import Cap, Contact, Exploration, Fatigue, Groups, Policy, Purpose, QuietHours, Stage
from decisioning.rulebook import Rulebook, compile_rules
from training.simulation.ranges import World

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday. Times of a simulation are hours since then."""
FIRST_HOUR, LAST_HOUR = 8, 20
"""Outbound messages go on Mondays in these hours."""
HOUR, DAY, WEEK, MEMORY = 1.0, 24.0, 168.0, 1440.0

ACTIONS: tuple[tuple[str, str, Job, float], ...] = (
    ("coupon_bakery", "coupons", "sell", 0.4),
    ("coupon_household", "coupons", "sell", 0.4),
    ("coupon_produce", "coupons", "sell", 0.4),
    ("delivery_tomorrow", "delivery", "sell", 0.3),
    ("recipe_of_the_week", "recipes", "inform", 0.1),
)
"""Name, group, job, and what showing it costs. In the order of their names, as in a catalog."""
NAMES = tuple(one[0] for one in ACTIONS)
GROUPS = tuple(dict.fromkeys(one[1] for one in ACTIONS))
GROUP_OF = tuple(GROUPS.index(one[1]) for one in ACTIONS)
COSTS = tuple(one[3] for one in ACTIONS)
SELLS = tuple(one[2] == "sell" for one in ACTIONS)
PROMISES = NAMES.index("delivery_tomorrow")
"""Who takes this is promised a delivery within two days."""
PROMISED_WITHIN = 48.0
SORRY = "we_are_sorry"
SORRY_EVERY = 7 * DAY

SALT, RANDOM_GROUP = "simulated", 0.02
"""What the core draws by, and the share of customers for whom it chooses at random."""

TOUCHPOINTS: tuple[tuple[str, float], ...] = (("email", 0.3), ("app", 0.2))
"""Name, and what a moment of attention is declared to cost there. The first is outbound."""
EMAIL, APP = range(2)

WEEKLY_MOST, WEEKLY_LEAST, SAME_MOST = 3, 1, 1
USUAL_ANSWERS, ANSWERS_WEIGHT = 0.15, 10.0
COOL_DOWN, COMPLAINT_STAYS = 14 * DAY, 10 * DAY
SUPPRESSING, FEELING_HALVES = 0.5, 7 * DAY
KEPT_AT_LEAST, KEPT_AFTER = 0.9, 20
PRIOR, INCREMENTALITY = 0.15, 0.3
"""What the brand guesses before anything is learned: the response to a message, and the share that the message causes."""

STATIC = tuple(f"trait_{at}" for at in range(8))
MOVING = ("messages_felt", "orders_recent", "days_since_order", "sourness")
SEEN = (*STATIC, *MOVING)
"""The features of a customer that every policy sees."""
HOURS = tuple(f"hour_{hour:02d}" for hour in range(24))

_INDEX = FeatureIndex(
    tuple(
        Feature(name=name, view="simulated", ages="stays", unit="", source="first_party", purpose="marketing")
        for name in (*SEEN, *HOURS)
    )
)


def rulebook(world: World) -> Rulebook:
    """The brand as the core knows it: what the world truly is shows in it only as margin, window and shares of groups."""
    places = {name: (Treatment(title=name, body=name),) for name, _ in TOUCHPOINTS}
    window = timedelta(days=world.delay_days)
    actions = [
        Action(
            name=name,
            group=group,
            job=job,
            value=world.margin,
            cost=cost,
            purpose="marketing",
            response=Response(model="uplift"),
            treatments=places,
            outcome=OutcomeRule(success="converted", window=window),
        )
        for name, group, job, cost in ACTIONS
    ]
    sorry = Action(
        name=SORRY,
        group="service",
        job="recover",
        value=0.0,
        purpose="marketing",
        response=Response(prior=0.5),
        treatments=places,
        relevant=parse("state.broken_promise = true"),
        every=timedelta(hours=SORRY_EVERY),
        mandatory=True,
    )
    touchpoints = {
        name: Touchpoint(
            name=name,
            channel=name,
            direction="outbound" if name == "email" else "inbound",
            jobs=("sell", "inform", "recover"),
            attention=attention,
            horizon=timedelta(hours=LAST_HOUR - FIRST_HOUR),
        )
        for name, attention in TOUCHPOINTS
    }
    groups = {name: ActionGroup(issue="grow", incrementality=INCREMENTALITY) for name in (*GROUPS, "service")}
    return compile_rules(Catalog((*actions, sorry), groups, touchpoints), _policy(world), _INDEX)


def _policy(world: World) -> Policy:
    week = timedelta(hours=WEEK)
    return Policy(
        time_zone="UTC",
        purposes={"marketing": Purpose(default=True, says="Send me offers.")},
        journey=(Stage(stage="active"),),
        contact=Contact(
            caps=(
                Cap(rule="three_a_week", most=WEEKLY_MOST, within=week),
                Cap(rule="same_once_a_week", most=SAME_MOST, within=week, each="action"),
            ),
            cool_down=timedelta(hours=COOL_DOWN),
            quiet_hours=QuietHours(start=time(LAST_HOUR + 1), end=time(FIRST_HOUR)),
            fatigue=Fatigue(within=week, least=WEEKLY_LEAST, most=WEEKLY_MOST, usual=USUAL_ANSWERS, weight=ANSWERS_WEIGHT),
        ),
        groups=Groups(control=world.control, random=RANDOM_GROUP),
        exploration=Exploration(),
    )
