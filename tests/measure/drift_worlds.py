"""Seeded worlds to look for drift in: customers who come often or seldom, what models say, what comes of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from decisioning.chance import hashed
from features.offered import Offered
from features.shows import LOTS, Closed, Sums
from features.watched import Champion, Watched, Watching
from features.windows import Period, Window, Windows
from tests.worlds import feature

NOW = datetime(2018, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
RECENT = Period(since=NOW - 30 * DAY, until=NOW, why="recent")
REFERENCE = Period(since=NOW - 120 * DAY, until=NOW - 30 * DAY, why="before the champion came in, which it learned from")
NAMES = (
    *(f"spend_{at}" for at in range(8)),
    *(f"orders_{at}" for at in range(4)),
    *(f"since_{at}" for at in range(4)),
    "tier",
    "always",
    "never",
    "seldom_known",
)
FEATURES = tuple(
    feature(name, ages="decays", half_life_days=90.0) if name.startswith("spend") else feature(name) for name in NAMES
)
GROUPS = ("bread", "fruit", "care")


@dataclass(frozen=True, kw_only=True)
class World:
    """Drift that is planted: `spend_3` times `spend`, missing of `orders_2`, successes times `responses` in `bread`, and an
    action that is newer than the models."""

    seed: int
    customers: int = 400
    decisions: int = 800
    shows: int = 400
    spend: float = 1.0
    missing: float = 0.0
    responses: float = 1.0
    new_action: bool = False

    def watching(self) -> Watching:
        random = np.random.default_rng(self.seed)
        trait = random.normal(size=(self.customers, len(NAMES)))
        often = random.gamma(0.7, size=self.customers)
        frailty = random.gamma(8.0, 1 / 8.0, size=self.customers)
        before = self._window(random, trait, often, REFERENCE, drifted=False)
        now = self._window(random, trait, often, RECENT, drifted=True)
        actions = [self._action(name, known=REFERENCE.since) for name in GROUPS]
        if self.new_action:
            actions.append(self._action("cheese", known=RECENT.since + 5 * DAY))
        counts = {(one.name, "app"): self.decisions for one in actions}
        return Watching(
            now=NOW,
            features=FEATURES,
            champion=Champion(
                bundle="b" * 16, promoted="b" * 16, began=NOW - 60 * DAY, reads={"preference": NAMES[:-4]}, trouble=None
            ),
            actions=actions,
            strength=2.0,
            windows=Windows(
                recent=now,
                reference=before,
                first=before,
                offered=Offered(
                    asked={"app": self.decisions},
                    weighed=counts,
                    possible=counts,
                    chosen=dict.fromkeys(counts, self.decisions // 4),
                    kinds={("app", "action"): self.decisions},
                    contexts={("app", "active"): self.decisions},
                    empty={},
                ),
                left_out={},
            ),
            closed=self._closed(random, often, frailty),
        )

    def _window(
        self,
        random: np.random.Generator,
        trait: NDArray[np.float64],
        often: NDArray[np.float64],
        period: Period,
        *,
        drifted: bool,
    ) -> Window:
        """What is known of a customer moves a little from one of their decisions to the next."""
        who = random.choice(self.customers, self.decisions, p=often / often.sum())
        now = 0.95 * trait[who] + np.sqrt(1 - 0.95**2) * random.normal(size=(self.decisions, len(NAMES)))
        values = np.empty_like(now)
        for at, name in enumerate(NAMES):
            match name.partition("_")[0]:
                case "spend":
                    values[:, at] = np.where(now[:, at] < -0.8, 0.0, np.exp(now[:, at]))
                case "orders":
                    values[:, at] = np.floor(np.exp(0.7 * now[:, at]))
                case "since":
                    values[:, at] = 10 * np.abs(now[:, at])
                case "tier":
                    values[:, at] = np.digitize(now[:, at], [-0.5, 1.0])
                case "always":
                    values[:, at] = 3.0
                case "never":
                    values[:, at] = np.nan
                case _:
                    values[:, at] = np.where(now[:, at] > 1.5, now[:, at], np.nan)
        if drifted:
            values[:, NAMES.index("spend_3")] *= self.spend
            values[random.random(self.decisions) < self.missing, NAMES.index("orders_2")] = np.nan
        nothing = (random.random(self.decisions) < 0.3).astype(np.float32)
        said = {
            f"preference of {group}": (1 / (1 + np.exp(2.0 - 0.5 * now[:, at]))).astype(np.float32)
            for at, group in enumerate(GROUPS)
        }
        return Window(
            period=period,
            decisions=self.decisions,
            customers=who.astype(np.uint64),
            profile=values.astype(np.float32),
            defined=np.ones(values.shape, dtype=np.bool_),
            said=said,
            nothing={"app": nothing},
        )

    def _closed(self, random: np.random.Generator, often: NDArray[np.float64], frailty: NDArray[np.float64]) -> Closed:
        """Some customers take more than others, whatever a model knows: their messages are alike."""
        recent: dict[tuple[str, str], Sums] = {}
        weeks: dict[tuple[int, str], Sums] = {}
        for action in GROUPS:
            for place, shows in (("app", self.shows), ("email", 150)):
                who = random.choice(self.customers, shows, p=often / often.sum())
                expected = random.beta(2, 18, size=shows)
                true = np.clip(expected * frailty[who] * (self.responses if action == "bread" else 1.0), 0, 1)
                came = random.random(shows) < true
                for customer, chance, success in zip(who, expected, came, strict=True):
                    lot = hashed("a lot", str(customer)) % LOTS
                    recent.setdefault((action, place), Sums()).add(float(chance), bool(success), lot)
                    weeks.setdefault((int(random.integers(4)), action), Sums()).add(float(chance), bool(success), lot)
        return Closed(recent=recent, weeks=weeks, open=7)

    def _action(self, name: str, *, known: datetime) -> Watched:
        return Watched(
            name=name,
            group=name,
            model="preference",
            touchpoints=("app", "email"),
            known=known,
            shows=550,
            expected=55.0,
            waits=False,
            over=False,
        )
