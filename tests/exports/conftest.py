"""A brand's log of a few hundred decisions with outcomes, to be exported."""

from collections.abc import Iterator

import pytest

from features.log import Log
from tests.exports.brand import Exporting, written


@pytest.fixture(scope="session")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporting]:
    folder = tmp_path_factory.mktemp("exports")
    log = Log(f"sqlite:///{folder / 'log.db'}")
    yield written(log, folder)
    log.close()
