"""The published playbook: the log keeps each version, the last one holds, and states are folded by it."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from decisioning.errors import KairosError
from features.log import Log, LogUnavailable, Record
from features.playbook import Playbook
from features.published import Publications, Published, last_published, publish, published, state_rules
from features.yaml_nodes import WorkspaceError
from tests import corner, worlds
from tests.corner import TEXTS
from tests.log.writing import event
from tests.worlds import NOW

DEARER = corner.playbook(catalog=TEXTS["catalog.yaml"].replace("value: 10.0", "value: 11.0"))
BOOK = corner.playbook()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = corner.open_log(tmp_path, BOOK)
    yield opened
    opened.close()


def version(log: Log) -> str | None:
    last = last_published(log)
    return None if last is None else last.version


def test_the_first_to_ask_publishes_and_all_later_ones_get_that(log: Log) -> None:
    assert version(log) is None
    assert published(BOOK, log, NOW).version == BOOK.version
    assert published(DEARER, log, NOW).version == BOOK.version == version(log)
    assert log.last_sequence() == 1


def test_a_version_is_published_with_who_did_it_and_why(log: Log) -> None:
    published(BOOK, log, NOW)
    told = publish(DEARER, log, now=NOW, by="Kim", why="bread is dearer")
    assert (told.version, told.before, told.is_new, told.refolded) == (DEARER.version, BOOK.version, True, 0)
    assert told.lines() == [
        f"published version {DEARER.version}, by Kim; before it {BOOK.version}",
        "because   bread is dearer",
        "changed   action bread: value 10.0 -> 11.0",
    ]
    record = log.latest("catalog")
    assert record is not None
    assert record.body == {"version": DEARER.version, "files": dict(DEARER.texts), "by": "Kim", "why": "bread is dearer"}
    assert version(log) == DEARER.version


def test_publishing_what_is_published_writes_nothing(log: Log) -> None:
    publish(BOOK, log, now=NOW)
    again = publish(BOOK, log, now=NOW, by="Kim")
    assert (again.is_new, log.last_sequence()) == (False, 1)
    assert again.lines() == [f"published nothing to do: the workspace is version {BOOK.version}, which is published"]


def test_an_older_version_is_rolled_back_to_by_publishing_it_again(log: Log) -> None:
    for book in (BOOK, DEARER, BOOK, DEARER, BOOK):
        assert publish(book, log, now=NOW).is_new
        assert version(log) == book.version
    assert log.last_sequence() == 5


def test_states_are_folded_by_what_is_published_now(log: Log) -> None:
    log.append([event("Complaint Opened")])
    assert log.state("1029")[0].open_complaints
    quiet = corner.playbook(brand=TEXTS["brand.yaml"].replace("Complaint Opened:", "Parcel Lost:"))
    assert publish(quiet, log, now=NOW).refolded == 1
    assert log.state("1029")[0].open_complaints == ()
    assert log.verify().whole


def test_what_was_interrupted_before_the_states_were_folded_is_finished_by_publishing_again(log: Log) -> None:
    log.append([event("Complaint Opened")])
    quiet = corner.playbook(brand=TEXTS["brand.yaml"].replace("Complaint Opened:", "Parcel Lost:"))
    publish(quiet, log, now=NOW)
    log.follow(state_rules(BOOK))
    assert publish(quiet, log, now=NOW).refolded == 1


@pytest.mark.parametrize(
    ("changed", "asks"),
    [
        pytest.param({"profile": TEXTS["profile.yaml"].replace("unit: points}", "unit: stars}")}, True, id="a feature"),
        pytest.param({"brand": TEXTS["brand.yaml"].replace("America/New_York", "Europe/Paris")}, True, id="a time zone"),
        pytest.param({"profile": TEXTS["profile.yaml"] + "# the end\n"}, False, id="a comment"),
        pytest.param({"brand": TEXTS["brand.yaml"].replace("name: Corner", "name: Korner")}, False, id="the brand's name"),
    ],
)
def test_a_version_that_asks_for_other_profiles_says_what_to_run(changed: dict[str, str], asks: bool, log: Log) -> None:
    assert not publish(BOOK, log, now=NOW).other_profiles
    told = publish(corner.playbook(**changed), log, now=NOW)
    assert told.is_new and told.other_profiles == asks
    assert any("kairos features materialize" in line for line in told.lines()) == asks


def faulty() -> bytes:
    return b'{"version": "old", "files": {"brand.yaml": "nme: Corner", "touchpoints.yaml": "", "catalog.yaml": "", ' + (
        b'"policy.yaml": "", "profile.yaml": ""}}'
    )


def test_a_published_version_that_cannot_be_read_any_more_names_the_cure_and_can_be_replaced(log: Log) -> None:
    log.append([worlds.record("catalog", "catalog-old", faulty(), customer_id=None)])
    with pytest.raises(WorkspaceError) as error:
        last_published(log)
    assert error.value.faults[0].startswith("published version old: brand.yaml:1:6: nme: unknown key")
    assert "run 'kairos catalog publish'" in error.value.faults[-1]
    assert publish(BOOK, log, now=NOW).before == "old"
    assert version(log) == BOOK.version


def test_each_publication_is_told_once_and_of_several_the_last(log: Log) -> None:
    publications = Publications(log)

    def newest() -> Playbook | None:
        return publications.newest()

    assert newest() is None
    publish(BOOK, log, now=NOW)
    first = newest()
    assert first is not None and first.version == BOOK.version
    assert newest() is None
    publish(DEARER, log, now=NOW)
    publish(BOOK, log, now=NOW)
    last = newest()
    assert last is not None and last.version == BOOK.version
    assert newest() is None


class Torn:
    """The log, whose first reading ends after a record: its database does not answer any more."""

    def __init__(self, log: Log) -> None:
        self._log, self._torn = log, False

    def read(self, *, after: int, kinds: Sequence[str]) -> Iterator[Record]:
        yield from self._log.read(after=after, kinds=kinds)
        if not self._torn:
            self._torn = True
            raise LogUnavailable("the disk is full")


def test_a_publication_that_was_read_when_the_log_failed_is_told_at_the_next_look(log: Log) -> None:
    publish(BOOK, log, now=NOW)
    publications = Publications(Torn(log))
    with pytest.raises(LogUnavailable):
        publications.newest()
    told = publications.newest()
    assert told is not None and told.version == BOOK.version


def test_a_publication_that_cannot_be_read_is_told_once_too(log: Log) -> None:
    publications = Publications(log)
    log.append([worlds.record("catalog", "catalog-old", faulty(), customer_id=None)])
    with pytest.raises(WorkspaceError):
        publications.newest()
    assert publications.newest() is None


def test_every_version_that_was_ever_published_is_to_be_had_and_compiled_once(log: Log) -> None:
    publish(BOOK, log, now=NOW)
    publish(DEARER, log, now=NOW)
    past = Published(log)
    assert past(BOOK.version).catalog == BOOK.catalog
    assert past(DEARER.version).catalog == DEARER.catalog
    assert past(BOOK.version) is past(BOOK.version)


def test_a_version_that_was_never_published_here_is_refused(log: Log) -> None:
    publish(BOOK, log, now=NOW)
    with pytest.raises(KairosError, match="version c0ffee of the catalog is not in this log"):
        Published(log)("c0ffee")


def put_by_an_older_kairos(log: Log, files: dict[str, str]) -> None:
    body = json.dumps({"version": "old", "files": files}).encode()
    log.append([worlds.record("catalog", "catalog-old", body, customer_id=None)])


def test_what_later_checks_refuse_can_still_be_decided_again_by(log: Log) -> None:
    put_by_an_older_kairos(log, {**TEXTS, "catalog.yaml": TEXTS["catalog.yaml"].replace("topics: [bakery]", "topics: [wine]")})
    with pytest.raises(WorkspaceError, match="'wine'"):
        last_published(log)
    assert Published(log)("old").catalog["bread"].topics == ("wine",)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({**TEXTS, "policy.yaml": "nothing: here"}, id="a key of another time"),
        pytest.param({"catalog.yaml": TEXTS["catalog.yaml"]}, id="files of another time"),
    ],
)
def test_a_version_that_cannot_be_compiled_any_more_is_told_by_its_name(files: dict[str, str], log: Log) -> None:
    put_by_an_older_kairos(log, files)
    with pytest.raises(
        KairosError, match="this Kairos cannot compile version old of the catalog; the one that published it can"
    ):
        Published(log)("old")
