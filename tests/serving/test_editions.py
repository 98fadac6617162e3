"""A server goes on with what is published while it runs, or says why it does not."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from decisioning.errors import KairosError
from features.log import LogUnavailable
from features.playbook import Playbook
from features.published import Publications, publish
from serving.app import create_app
from serving.editions import Editions, taken_up
from serving.ports import Ports
from serving.settings import Settings
from tests import corner
from tests.corner import TEXTS
from tests.serving.conftest import GivenModels, Shop
from tests.worlds import NOW

DEARER = corner.playbook(catalog=TEXTS["catalog.yaml"].replace("value: 10.0", "value: 11.0"))
STARRED = corner.playbook(profile=TEXTS["profile.yaml"].replace("unit: points}", "unit: stars}"))
MOVED = corner.playbook(brand=TEXTS["brand.yaml"].replace("America/New_York", "Europe/Paris"))


@pytest.fixture
def editions(shop: Shop) -> Editions:
    def edition(book: Playbook) -> Ports:
        return replace(shop.ports, playbook=book, rulebook=book.compiled(), models=GivenModels(book))

    publish(shop.playbook, shop.log, now=NOW)
    return Editions(shop.ports, taken_up(Publications(shop.log).newest, edition))


def test_what_is_published_is_taken_up_at_the_next_look_with_models_and_rules_together(shop: Shop, editions: Editions) -> None:
    held = editions()
    publish(DEARER, shop.log, now=NOW)
    assert editions() is held
    editions.look()
    ports = editions()
    assert isinstance(ports.models, GivenModels)
    assert ports.playbook.version == ports.models.playbook.version == DEARER.version
    assert (ports.log, ports.profiles) == (held.log, held.profiles)
    assert held.playbook.version == shop.playbook.version  # a request that began with it ends with it


def test_without_news_the_same_ports_answer(editions: Editions) -> None:
    held = editions()
    editions.look()
    editions.look()
    assert editions() is held and editions.trouble is None


@pytest.mark.parametrize("book", [STARRED, MOVED], ids=["other features", "another time zone"])
def test_a_version_that_wants_other_profiles_waits_for_a_restart_and_is_told(
    book: Playbook, shop: Shop, editions: Editions
) -> None:
    publish(book, shop.log, now=NOW)
    for _ in range(2):
        editions.look()
        assert editions().playbook.version == shop.playbook.version
        assert editions.trouble is not None and "kairos features materialize" in editions.trouble
    publish(shop.playbook, shop.log, now=NOW)
    editions.look()
    assert editions.trouble is None


def test_a_look_that_fails_leaves_the_version_that_answers(shop: Shop) -> None:
    faults: Iterator[Exception] = iter([LogUnavailable("the disk is full"), ValueError("odd")])

    def newer(_: Ports) -> Ports | None:
        raise next(faults)

    editions = Editions(shop.ports, newer)
    editions.look()
    assert (editions(), editions.trouble) == (shop.ports, None)
    editions.look()
    assert (editions(), editions.trouble) == (shop.ports, "ValueError: odd")


@pytest.fixture
def running(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, list[Ports | KairosError]]]:
    """A server that looks all the time, and the list in which it finds what to take up."""
    found: list[Ports | KairosError] = []

    def newer(_: Ports) -> Ports | None:
        match found.pop() if found else None:
            case KairosError() as error:
                raise error
            case ports:
                return ports

    monkeypatch.setattr("serving.editions.LOOK_S", 0.01)
    with TestClient(create_app(Settings(salt="test"), shop.ports, newer=newer)) as client:
        yield client, found


def until(true: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came")


def test_a_running_server_answers_by_what_was_published_meanwhile(
    shop: Shop, running: tuple[TestClient, list[Ports | KairosError]]
) -> None:
    client, found = running

    def decided() -> Any:
        return client.post("/v1/decisions", json={"customer_id": "anna", "touchpoint": "app", "mode": "simulate"}).json()

    shop.known()
    assert (decided()["catalog"], decided()["results"][0]["terms"]["v"]) == (shop.playbook.version, 10.0)
    found.append(replace(shop.ports, playbook=DEARER, rulebook=DEARER.compiled(), models=GivenModels(DEARER)))
    until(lambda: decided()["catalog"] == DEARER.version)
    assert decided()["results"][0]["terms"]["v"] == 11.0
    assert client.get("/health/ready").json()["parts"]["catalog"]["published"] == DEARER.version


def test_health_tells_why_a_published_version_does_not_answer(
    shop: Shop, running: tuple[TestClient, list[Ports | KairosError]]
) -> None:
    client, found = running

    def catalog() -> Any:
        return client.get("/health/ready").json()["parts"]["catalog"]

    found.append(KairosError("start it again"))
    until(lambda: bool(catalog()["status"] == "refused"))
    assert (catalog()["cause"], catalog()["published"]) == ("start it again", shop.playbook.version)
    found.append(shop.ports)
    until(lambda: bool(catalog()["status"] == "ok"))
