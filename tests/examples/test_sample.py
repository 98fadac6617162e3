"""The demo brand to play with: a copy each, apart from all others, and a season lived in it by a known truth."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from examples.grocer import sample, season
from examples.grocer.sample import Playground

FEW = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    made = sample.fresh_copy()
    yield made
    shutil.rmtree(made)


def lived(folder: Path, more: float) -> tuple[season.Season, int]:
    """What came of a season, and how many orders the log has of it."""
    brand = sample.opened(folder)
    usual = dict(sorted(season.usual_orders(brand).items())[:FEW])
    came = season.live(brand, usual, truth=season.Truth(more=more))
    orders = sum(record.message_id.startswith("season-Order") for record in brand.log.read(kinds=("event",)))
    brand.close()
    return came, orders


def test_what_one_does_to_their_copy_reaches_no_other(folder: Path) -> None:
    (folder / "policy.yaml").write_text("changed", encoding="utf-8")
    brand: Playground = sample.opened()
    assert brand.workspace.path != folder
    assert brand.server.ask("/health/ready")["parts"]["models"]["bundle"]
    assert not (brand.workspace.data / "mlflow").exists()
    brand.close()
    assert not brand.workspace.path.exists() and folder.exists()


def test_a_season_adds_what_is_true_and_its_orders_are_in_the_log(folder: Path) -> None:
    came, orders = lived(folder, more=1.0)
    assert came.households == FEW and 0 < came.taken <= came.offered <= FEW
    assert came.more_orders > 0 and orders > FEW


def test_where_offers_change_nothing_nothing_is_added(folder: Path) -> None:
    before = sample.opened(folder)
    opens = before.clock.now()
    before.close()
    came, orders = lived(folder, more=0.0)
    assert came.more_orders == 0.0 and orders > 0
    again = sample.opened(folder)
    last = max(record.event_time for record in again.log.read(kinds=("event",)))
    again.close()
    assert opens < last <= opens + timedelta(days=2 * season.DAYS)
