"""Health tells the truth about each part."""

from dataclasses import replace

from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from tests.serving.conftest import Shop


def test_a_whole_server_is_live_and_ready_at_the_engines_time(shop: Shop) -> None:
    assert shop.client.get("/health/live").json() == {"status": "live", "at": "2018-01-01T14:00:00Z"}
    told = shop.client.get("/health/ready").json()
    assert told["parts"]["log"]["status"] == "ok"
    assert told["parts"]["catalog"]["status"] == "ok"


def test_a_missing_bundle_and_a_changed_catalog_are_named(shop: Shop) -> None:
    shop.models.bundle = None
    with TestClient(create_app(Settings(salt="test"), replace(shop.ports, newer_catalog=lambda: "another"))) as client:
        answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["parts"]["models"]["status"] == "missing"
    assert answer.json()["parts"]["catalog"]["status"] == "differs"


def test_a_bundle_that_is_refused_is_named_with_its_cause(shop: Shop) -> None:
    shop.models.trouble = "bundle b does not fit the profile"
    told = shop.client.get("/health/ready").json()
    assert told["status"] == "degraded"
    assert told["parts"]["models"] == {"status": "refused", "bundle": "given", "cause": "bundle b does not fit the profile"}


def test_a_log_that_cannot_be_used_takes_the_server_out_of_rotation(broken_log: TestClient) -> None:
    answer = broken_log.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
    assert answer.json()["parts"]["log"]["cause"] == "the disk is full"


def test_what_is_not_built_is_absent(shop: Shop) -> None:
    for path in ("/metrics", "/v1/catalog", "/v1/customers/anna/export"):
        assert shop.client.get(path).status_code == 404
