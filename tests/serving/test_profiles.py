from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.projector import Projector
from features.stores import open_store
from serving.ports import ProfilesUnavailable
from serving.profiles import PackedProfiles
from tests import corner, redis_server


def test_profiles_whose_store_went_away_are_unavailable_and_catch_up_later(tmp_path: Path) -> None:
    book = corner.playbook()
    log = corner.open_log(tmp_path, book)
    with redis_server.running(tmp_path) as url:
        store = open_store(url, book.profile)
        profiles = PackedProfiles(store, Projector(log, store, book.profile, book.brand.time_zone))
        now = datetime(2018, 1, 1, tzinfo=UTC)
        assert not profiles.read("anna", now).known
    with pytest.raises(ProfilesUnavailable, match="redis://"):
        profiles.read("anna", now)
    profiles.follow()
    assert profiles.trouble() is not None and "StoreError" in str(profiles.trouble())
    store.close()
    log.close()
