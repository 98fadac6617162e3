"""A whole server over a real log and a real online store; only the models are given."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fastapi.testclient import TestClient

from decisioning.customer import Profile
from decisioning.domain import Predictions
from features.erasure import erase
from features.following import AtOnce
from features.hearing import CurrentReading, Hearing
from features.log import Log, LogUnavailable, Record
from features.packed import PackedStore
from features.playbook import Playbook
from features.projector import Projector
from serving.app import create_app
from serving.clock import HeldClock
from serving.learning import CurrentLearner
from serving.ports import Ports
from serving.profiles import PackedProfiles
from serving.settings import Settings
from tests import corner


@dataclass
class GivenModels:
    """Models whose predictions the test gives."""

    playbook: Playbook
    responses: dict[str, float] = field(default_factory=lambda: {"bread": 0.3, "points": 0.2, "sorry": 0.6})
    bundle: str | None = "given"
    trouble: str | None = None
    missing: tuple[str, ...] = ()
    without: dict[str, tuple[str, float]] = field(default_factory=dict)
    """By action, its response to a customer of whom a feature is missing."""

    def predict(self, profile: Profile) -> tuple[Predictions, tuple[str, ...]]:
        actions = self.playbook.catalog.actions
        otherwise = {name: low for name, (feature, low) in self.without.items() if profile.get(feature) is None}
        response = np.array([otherwise.get(action.name, self.responses[action.name]) for action in actions])
        assumed = np.array([action.response.prior is not None for action in actions])
        reads = {"bread": ("orders_30d", "spend_90d_bakery")}
        return Predictions(response=response, assumed=assumed, customer={}, reads=reads), self.missing


@dataclass
class Shop:
    """The server under test, and the parts behind it."""

    client: TestClient
    log: Log
    models: GivenModels
    playbook: Playbook
    ports: Ports
    said: int = 0

    def post(self, path: str, body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def decide(self, customer: str = "anna", touchpoint: str = "app", **more: Any) -> Any:
        return self.post("/v1/decisions", {"customer_id": customer, "touchpoint": touchpoint, **more})

    def event(self, event: str, customer: str = "anna", *, at: str | None = None, **properties: Any) -> Any:
        self.said += 1
        message = {"type": "track", "event": event, "messageId": f"m-{self.said}", "userId": customer, "properties": properties}
        return self.post("/v1/events", {"batch": [message | ({"timestamp": at} if at else {})]})

    def order(self, customer: str = "anna", *, at: str = "2017-12-20T17:30:00Z", category: str = "PASTRY") -> Any:
        products = [{"product_id": "1", "category": category, "price": 12.0, "quantity": 1}]
        return self.event("Order Completed", customer, at=at, total=12.0, products=products)

    def consent(self, customer: str = "anna", purpose: str = "marketing", *, granted: bool = True) -> None:
        self.said += 1
        now = self.ports.clock.now()
        body = {"customer_id": customer, "purpose": purpose, "granted": granted, "source": "test"}
        record = Record(
            kind="consent",
            message_id=f"c-{self.said}",
            customer_id=customer,
            event_time=now,
            known_time=now,
            payload=msgspec.json.encode(body),
        )
        self.log.append([record])

    def later(self, **passes: float) -> None:
        """Time passes."""
        assert isinstance(self.ports.clock, HeldClock)
        self.ports.clock.go_on(timedelta(**passes))

    def known(self, customer: str = "anna") -> None:
        """A customer who shops, and consents to offers."""
        self.consent(customer)
        self.order(customer)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    book = corner.playbook()
    log = corner.open_log(tmp_path, book)
    store = PackedStore(tmp_path / "online.db", book.profile)
    models = GivenModels(book)
    assert book.brand.starts_at is not None
    projector = Projector(log, store, book.profile, book.brand.time_zone)
    ports = Ports(
        erase=lambda customer, at: erase(customer, log=log, store=store, projector=projector, data=tmp_path, at=at),
        clock=HeldClock(book.brand.starts_at),
        log=log,
        profiles=PackedProfiles(store, AtOnce(projector)),
        models=models,
        playbook=book,
        rulebook=book.compiled(),
        rulebook_of=lambda version: book.compiled(),
        learner=CurrentLearner(log),
        hear=Hearing(book.brand.words, CurrentReading(tmp_path / "models")),
    )
    with TestClient(create_app(Settings(salt="test"), ports)) as client:
        yield Shop(client=client, log=log, models=models, playbook=book, ports=ports)
    store.close()
    log.close()


@pytest.fixture
def broken_log(shop: Shop) -> Iterator[TestClient]:
    """The same server once its log can no longer be used."""

    class Broken:
        def __getattr__(self, name: str) -> Any:
            def fail(*_: Any, **__: Any) -> Any:
                raise LogUnavailable("the disk is full")

            return fail

    with TestClient(
        create_app(Settings(salt="test"), replace(shop.ports, log=Broken(), learner=CurrentLearner(Broken())))
    ) as client:
        yield client
