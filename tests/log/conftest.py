"""A log in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.log import Log
from tests.log.writing import RULES


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'log.db'}"


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    log = Log(url, RULES)
    yield log
    log.close()
