"""The brand that tells its customers something for a year: limits of every kind, and an action that soon runs out."""

from datetime import UTC, datetime, time, timedelta

from decisioning.catalog import Catalog
from decisioning.policy import Cap, Exploration, Fatigue, Policy, QuietHours, Scope
from decisioning.policy import Contact as ContactRules
from tests import worlds

START = datetime(2026, 1, 15, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
EVERY, BUDGET = 21 * DAY, 40
FATIGUE = Fatigue(within=14 * DAY, least=3, most=7, usual=0.3)

POLICY: Policy = worlds.policy(
    contact=ContactRules(
        caps=(
            Cap(rule="four_a_week", most=4, within=7 * DAY),
            Cap(rule="two_in_six_hours", most=2, within=6 * HOUR),
            Cap(rule="one_email_a_day", most=1, within=DAY, scope=Scope(channel=("email",))),
            Cap(rule="each_action", most=3, within=30 * DAY, each="action"),
            Cap(rule="each_group", most=3, within=10 * DAY, each="group", scope=Scope(group=("coupons", "news"))),
            Cap(rule="each_channel", most=3, within=5 * DAY, each="channel"),
            Cap(rule="selling", most=6, within=20 * DAY, scope=Scope(job=("sell",))),
        ),
        cool_down=14 * DAY,
        quiet_hours=QuietHours(start=time(21), end=time(8)),
        fatigue=FATIGUE,
    ),
    exploration=Exploration(mass=0.2),
)


def _catalog() -> Catalog:
    places = {"app_home": worlds.treatment(), "email": worlds.treatment(), "sms": worlds.treatment()}
    actions = [
        worlds.action(
            f"a{at}",
            group=("coupons", "news", "care")[at % 3],
            job=("sell", "inform", "serve", "sell")[at % 4],
            value=5.0 + at,
            treatments=places,
            expires=(HOUR, 7 * DAY)[at % 2],
            budget=BUDGET if at == 3 else None,
            every=EVERY if at == 4 else None,
            mandatory=at == 5,
            valid_from=START + 200 * DAY if at == 5 else None,
            valid_until=START + 260 * DAY if at == 5 else None,
        )
        for at in range(8)
    ]
    sms = worlds.email(name="sms", channel="sms", horizon=12 * HOUR)
    return worlds.catalog(*actions, touchpoints=(worlds.touchpoint(), worlds.email(), sms))


CATALOG = _catalog()
ASKED = ("app_home", "app_home", "email", "sms")
