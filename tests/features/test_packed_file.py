"""What only the store in a file does; what every store does is in test_packed.py."""

import sqlite3
from pathlib import Path

import pytest

from features.packed import PackedStore
from features.stores import StoreError
from tests.features.worlds import spec


def test_a_file_that_is_no_store_is_refused_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "online.db").write_bytes(b"this is not a database, it is a text" * 100)
    with pytest.raises(StoreError, match=r"online\.db: not an online store .* delete it"):
        PackedStore(tmp_path / "online.db", spec())


def test_a_store_is_one_file_with_a_table_a_view(tmp_path: Path) -> None:
    PackedStore(tmp_path / "online.db", spec()).close()
    connection = sqlite3.connect(tmp_path / "online.db")
    try:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        connection.close()
    assert names == {"meta", "schema", "view_orders", "view_offers", "view_households"}
