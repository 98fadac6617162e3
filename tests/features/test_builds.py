import os
from pathlib import Path

import pytest

from features import builds
from features.builds import BuildReport
from tests.features.worlds import RICH, ZONE, spec


def _report(stamp: str) -> BuildReport:
    return BuildReport(
        stamp=stamp, profile="p", sequence=1, records=1, unreadable=0, anonymous=0, ahead=0, tables=(), seconds=1.0
    )


def _build(folder: Path, stamp: str) -> None:
    with builds.writing(folder, stamp) as partial:
        (partial / builds.REPORT).write_text(
            f'{{"stamp": "{stamp}", "profile": "p", "sequence": 1, "records": 1, "unreadable": 0, "anonymous": 0, "ahead": 0, '
            '"tables": [], "seconds": 1.0}'
        )
    builds.switch(folder, _report(stamp))


def test_the_current_build_and_the_one_before_it_are_kept(tmp_path: Path) -> None:
    assert builds.current(tmp_path) is None
    for stamp in ("one", "two", "three"):
        _build(tmp_path, stamp)
    assert builds.current(tmp_path) == _report("three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "three", "two"]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    _build(tmp_path, "good")
    with pytest.raises(RuntimeError, match="disk"), builds.writing(tmp_path, "bad"):
        raise RuntimeError("disk full")
    assert builds.current(tmp_path) == _report("good")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "good"]


def test_what_a_killed_build_left_is_cleared_but_not_what_a_running_one_writes(tmp_path: Path) -> None:
    dead, running = tmp_path / ".partial-4194305", tmp_path / f".partial-{os.getppid()}"
    dead.mkdir()
    running.mkdir()
    _build(tmp_path, "one")
    assert not dead.exists() and running.exists()


def test_a_pointer_to_nothing_whole_is_no_build(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("gone\n")
    assert builds.current(tmp_path) is None
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / builds.REPORT).write_text("{")
    assert builds.current(tmp_path) is None


def test_to_clear_removes_every_build_but_the_one_to_keep(tmp_path: Path) -> None:
    builds.clear(tmp_path / "absent")
    for stamp in ("one", "two"):
        _build(tmp_path, stamp)
    (tmp_path / ".partial-4194305").mkdir()
    builds.clear(tmp_path, keep="two")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "two"]
    assert builds.current(tmp_path) == _report("two")


@pytest.mark.parametrize(
    ("before", "after"),
    [("cuts: [100, 500]", "cuts: [100, 900]"), ("ttl: 60d", "ttl: 61d"), ("default: 3, unit", "default: 4, unit")],
    ids=["a cut", "a time to live", "a default"],
)
def test_what_only_the_reading_of_a_value_depends_on_changes_the_stamp_of_builds_too(before: str, after: str) -> None:
    assert before in RICH
    assert builds.profile_stamp(spec(RICH), ZONE) != builds.profile_stamp(spec(RICH.replace(before, after)), ZONE)
    assert builds.profile_stamp(spec(RICH), ZONE) == builds.profile_stamp(spec(RICH), ZONE)


def test_only_what_ended_processes_left_is_cleared(tmp_path: Path) -> None:
    mine, dead, running, other = (tmp_path / f".x-{name}" for name in (os.getpid(), 4194305, os.getppid(), "note"))
    for file in (mine, dead, running, other):
        file.touch()
    builds.clear_left(tmp_path, ".x-")
    assert [file.exists() for file in (mine, dead, running, other)] == [False, False, True, True]
