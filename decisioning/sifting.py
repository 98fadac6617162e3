"""Who asks, and which candidates of a touchpoint pass: everything that is known before anything is weighed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from decisioning import eligibility, timing
from decisioning.conditions import Lookup, Value
from decisioning.customer import Contact, Profile, State
from decisioning.domain import HoursOf, Ledger, Predictions, Request, TrialGroup
from decisioning.experiments import arms, trial_group
from decisioning.facts import lookup
from decisioning.programs import Flags, Numbers
from decisioning.rulebook import STAGE, Plan, Rulebook
from decisioning.standing import Standing, customer_facts, standing
from decisioning.tiers import MICROSECONDS, microseconds
from decisioning.timing import Moments


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Asked:
    """One customer at one moment, as all touchpoints see them."""

    request: Request
    rulebook: Rulebook
    profile: Profile
    state: State
    predictions: Predictions
    population: Mapping[str, float]
    stock: Mapping[str, int]
    ledger: Mapping[str, Ledger]
    now: datetime
    group: TrialGroup
    arms: Mapping[str, str]
    standing: Standing
    facts: Mapping[str, Value]
    zone: ZoneInfo
    brand_zone: ZoneInfo

    @property
    def known(self) -> bool:
        return self.state.known or self.profile.known

    @property
    def taken(self) -> frozenset[str]:
        """The actions that this very request has taken for earlier places."""
        return frozenset(one.action for one in self.state.contacts if one.decision_id == self.request.decision_id)

    def after(self, contact: Contact) -> "Asked":
        """The same once one more message was taken from the customer's attention."""
        return replace(self, state=replace(self.state, contacts=(*self.state.contacts, contact)))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sifted:
    """The candidates of a plan for one customer: `failed` (n,) is the line each fails at first, `eligibility.PASSES` if none.

    `flags` are the gates, `numbers` the facts as programs read them.
    """

    plan: Plan
    asked: Asked
    stage: str
    moments: Moments
    numbers: Numbers
    flags: Flags
    failed: NDArray[np.int32]

    def read(self, at: int) -> Lookup:
        """How a condition reads the facts, for the candidate at a position."""
        return lookup({**self.asked.facts, STAGE: self.stage}, self.asked.profile, self.plan.actions[at])


def asked(
    *,
    request: Request,
    rulebook: Rulebook,
    profile: Profile,
    state: State,
    predictions: Predictions,
    population: Mapping[str, float],
    stock: Mapping[str, int],
    ledger: Mapping[str, Ledger],
    now: datetime,
    salt: str,
) -> Asked:
    policy, who = rulebook.policy, state.group_id or state.customer_id
    in_arms, stands = arms(policy.experiments, who, salt=salt), standing(state, policy, now)
    facts = customer_facts(
        state=state,
        standing=stands,
        predictions=predictions,
        context=request.context,
        arms=in_arms,
        policy=policy,
        now=now,
    )
    facts[MICROSECONDS] = microseconds(now)
    brand_zone = ZoneInfo(policy.time_zone)
    return Asked(
        request=request,
        rulebook=rulebook,
        profile=profile,
        state=state,
        predictions=predictions,
        population=population,
        stock=stock,
        ledger=ledger,
        now=now,
        group=trial_group(who, control=policy.groups.control, random=policy.groups.random, salt=salt),
        arms=in_arms,
        standing=stands,
        facts=facts,
        zone=timing.zone_named(state.time_zone) or brand_zone,
        brand_zone=brand_zone,
    )


def sift(plan: Plan, asked: Asked) -> Sifted:
    """Which candidates of a touchpoint pass, and at which rule the others fail."""
    policy, programs = asked.rulebook.policy, plan.programs
    numbers, words = programs.read(asked.facts, asked.profile)
    flags = plan.gates.open.copy()
    stages = len(policy.journey)
    programs.run(0, stages, numbers, words, flags)
    stage = policy.journey[int(flags[:stages].argmax())].stage
    programs.put(programs.slots[STAGE], stage, numbers, words)
    programs.run(stages, programs.count, numbers, words, flags)
    hours = asked.predictions.hours.get(plan.touchpoint.channel)
    moments = timing.moments(
        habits=plan.habits,
        touchpoint=plan.touchpoint,
        profile=asked.profile,
        population=asked.population,
        hours=None if hours is None else hours.astype(np.float32).astype(np.float64),
        hours_of=asked.predictions.hours_of.get(plan.touchpoint.channel, HoursOf()),
        quiet=policy.contact.quiet_hours,
        zone=asked.zone,
        brand_zone=asked.brand_zone,
        now=asked.now,
    )
    eligibility.close(plan, asked, stage, flags)
    eligibility.close_late(plan, moments.earliest, flags)
    return Sifted(
        plan=plan,
        asked=asked,
        stage=stage,
        moments=moments,
        numbers=numbers,
        flags=flags,
        failed=eligibility.failures(plan.gates, flags),
    )


def sifted_again(sifted: Sifted, contact: Contact) -> Sifted:
    """Once one more message was taken: what it leaves room for. A gate that was closed stays closed."""
    asked, flags = sifted.asked.after(contact), sifted.flags.copy()
    eligibility.close(sifted.plan, asked, sifted.stage, flags)
    return replace(sifted, asked=asked, flags=flags, failed=eligibility.failures(sifted.plan.gates, flags))
