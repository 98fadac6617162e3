"""A server decides once before it answers, and nothing is to be seen of it."""

from dataclasses import replace

from fastapi.testclient import TestClient

from decisioning.customer import Profile
from decisioning.domain import Predictions
from serving.app import create_app
from serving.settings import Settings
from tests.serving.conftest import GivenModels, Shop


class Counting(GivenModels):
    """Models that count how often they were asked."""

    asked = 0

    def predict(self, profile: Profile) -> tuple[Predictions, tuple[str, ...]]:
        self.asked += 1
        return super().predict(profile)


def test_a_server_has_decided_before_it_answers_and_has_written_nothing(shop: Shop) -> None:
    models, before = Counting(shop.playbook), shop.log.last_sequence()
    with TestClient(create_app(Settings(salt="test"), replace(shop.ports, models=models))):
        assert models.asked == 1
    assert shop.log.last_sequence() == before


def test_a_server_starts_though_its_log_is_away(broken_log: TestClient) -> None:
    assert broken_log.get("/health/live").status_code == 200
