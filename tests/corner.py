"""A small brand, whole: the texts of a workspace with three actions at three touchpoints, and ways to open it."""

from pathlib import Path

from features.log import Log, StateRules
from features.playbook import Playbook, compile_playbook

TEXTS: dict[str, str] = {
    "brand.yaml": """
name: Corner
currency: USD
time_zone: America/New_York
locale: en-US
clock: {starts_at: 2018-01-01T09:00:00}
purposes:
  marketing: {default: false, says: offers}
  service: {default: true, says: service}
  personalisation: {default: true, says: your purchases}
signals:
  Complaint Opened: {complaint: opened, emotion: {valence: -0.9, intensity: 0.9}}
  Complaint Closed: {complaint: closed}
  Satisfaction Rated: {rating: rating, scale: [1, 5]}
""",
    "touchpoints.yaml": """
app: {channel: app, direction: inbound, jobs: [sell, inform, recover], attention: 0.02,
  default: {title: "Welcome to {brand}", body: Hello.}}
phone: {channel: phone, direction: inbound, jobs: [serve, recover], default: {title: Listen, body: Ask how to help.}}
email: {channel: email, direction: outbound, jobs: [sell, inform], attention: 0.05, horizon: 48h}
""",
    "catalog.yaml": """
groups:
  offers: {issue: grow, incrementality: 0.5}
  care: {issue: care, incrementality: 0.9}
actions:
  bread:
    group: offers
    job: sell
    value: 10.0
    purpose: marketing
    topics: [bakery]
    valid_from: 2017-12-01
    valid_until: 2018-02-01
    budget: 3
    gives: 1.5
    response: {model: preference, features: {coupons: 2}}
    treatments:
      app: {title: "Bread, {first_name|neighbour}", body: "Until {valid_until|soon}."}
      email: {title: Bread by mail, body: Hello.}
  points:
    group: care
    job: inform
    value: 1.0
    purpose: service
    response: {prior: 0.2}
    treatments:
      app: {title: "You have {points|some} points", body: Well done.}
      email: {title: Your points, body: Hello.}
  sorry:
    group: care
    job: recover
    value: 20.0
    purpose: service
    relevant: state.open_complaint = true
    response: {prior: 0.6}
    treatments:
      app: {title: We are sorry, body: We call you.}
      phone: {title: Apologise, body: Offer a call back.}
""",
    "policy.yaml": """
journey:
  - {stage: prospect, when: profile.since_order missing}
  - {stage: active}
rules:
  eligibility:
    - {rule: has_shopped, scope: {group: [offers]}, require: profile.orders_30d > 0}
contact:
  caps:
    - {rule: five_a_week, most: 5, within: 7d, scope: {channel: [app]}}
    - {rule: one_email_a_day, most: 1, within: 24h, scope: {channel: [email]}}
  cool_down: 14d
  quiet_hours: {start: 21:00, end: 08:00}
exploration: {mass: 0.0, strength: 50}
""",
    "profile.yaml": """
topics: {bakery: [PASTRY], produce: [PRODUCE]}
views:
  orders:
    source: first_party
    purpose: personalisation
    owner: data@corner.example
    on: {event: Order Completed}
    features:
      orders_30d: {sum: 1, half_life: 30d, unit: orders, says: how often you shop}
      spend_90d: {sum: total, half_life: 90d, unit: USD, says: what you spend}
      points: {sum: total, unit: points}
      since_order: {since: last, unit: days}
      "spend_90d_{topic}": {sum: products.price, by: topic, half_life: 90d, unit: USD, says: what you buy}
      "hour_{hour}": {sum: 1, by: hour, half_life: 90d, unit: orders}
      "day_{day}": {sum: 1, by: day, half_life: 90d, unit: orders}
  offers:
    source: first_party
    purpose: personalisation
    owner: data@corner.example
    on: {outcome: accepted}
    features:
      accepted_180d: {sum: 1, half_life: 180d, unit: offers, says: which offers you took up}
""",
}

MODELS = """
churn:
  event: Order Completed
  horizons: [30d]
  active_within: 60d
  train: [2017-04-01, 2017-06-01, 2017-08-01]
  test: [2017-10-01]
  columns: [orders_30d, spend_90d, since_order]
  # Whoever stops in this town stops for good, so that a month without an order says it all.
  trusted: [orders_30d, since_order]
  parameters: {num_iterations: 40, num_leaves: 4, min_data_in_leaf: 10, num_threads: 1}
preference:
  touchpoint: email
  success: accepted
  train: {from: 2017-03-01, until: 2017-08-01}
  test: {from: 2017-08-01, until: 2018-03-01}
  folds: [2017-04-15, 2017-06-01]
  customer: [orders_30d, accepted_180d]
  action: {coupons: {}, topic: {}}
  cross: {share: {pick: "spend_90d_{topic}", over: spend_90d}}
  parameters: {num_iterations: 40, num_leaves: 4, min_data_in_leaf: 10, num_threads: 1}
"""
"""What the brand's models learn, for tests that train: write_workspace(path, models=MODELS)."""


def playbook(**changed: str) -> Playbook:
    """The brand, compiled. An argument such as `policy` replaces the text of that file."""
    return compile_playbook(TEXTS | {f"{name}.yaml": text for name, text in changed.items()})


def write_workspace(folder: Path, **more: str) -> Path:
    """The brand as a workspace folder. An argument such as `models` is the text of a further file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (TEXTS | {f"{name}.yaml": text for name, text in more.items()}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def open_log(folder: Path, book: Playbook) -> Log:
    channels = {name: one.channel for name, one in book.catalog.touchpoints.items()}
    rules = StateRules(
        signals=book.brand.signals, words=book.brand.words, half_life=book.policy.suppression.half_life, channels=channels
    )
    return Log(f"sqlite:///{folder / 'log.db'}", rules)
