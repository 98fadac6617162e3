from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests import redis_server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["file", "redis"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an online store can be, with nothing there yet: every test of a store runs for each."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'online.db'}"
    url: str = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url
