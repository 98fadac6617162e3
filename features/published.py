"""The published playbook: a record of the log, which servers follow; the workspace's files are how one is brought in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from decisioning.errors import KairosError
from decisioning.rulebook import Rulebook
from features.differences import Difference, differences
from features.log import Log, Record, StateRules
from features.log.records import Kind
from features.playbook import Playbook, compile_past, compile_playbook
from features.yaml_nodes import WorkspaceError, plain

OTHER_PROFILES = "run 'kairos features build' and 'kairos features materialize', then start the servers again"
"""What to do where a version asks for other profiles than those that are stored."""

_KIND: Kind = "catalog"


class ReadsRecords(Protocol):
    """What looking for newer versions needs of the log."""

    def read(self, *, after: int, kinds: Sequence[str]) -> Iterator[Record]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What publishing did. `before` is the version of before, None for the first; `refolded` how many states changed.

    `is_new` is False where this very version was the published one already: then nothing was written. `other_profiles`:
    it asks for other features, or another day, than the version of before.
    """

    version: str
    before: str | None
    is_new: bool
    by: str | None
    why: str | None
    refolded: int
    other_profiles: bool
    differences: tuple[Difference, ...]

    def lines(self) -> list[str]:
        if not self.is_new:
            return [f"published nothing to do: the workspace is version {self.version}, which is published"]
        whose = f", by {self.by}" if self.by else ""
        told = [f"published version {self.version}{whose}; before it {self.before or 'nothing was'}"]
        told += [f"because   {self.why}"] if self.why else []
        told += [f"refolded  {self.refolded:,} states, by the new signals and channels"] if self.refolded else []
        told += [f"profiles  are others now: {OTHER_PROFILES}"] if self.other_profiles else []
        return told + [one.line() for one in self.differences]


def state_rules(playbook: Playbook) -> StateRules:
    """How states are folded from records while this playbook holds."""
    return StateRules(
        signals=playbook.brand.signals,
        words=playbook.brand.words,
        half_life=playbook.policy.suppression.half_life,
        channels={name: one.channel for name, one in playbook.catalog.touchpoints.items()},
    )


def last_published(log: Log) -> Playbook | None:
    """None where none is published. Raises WorkspaceError, with the cure, for one that this code cannot compile."""
    record = log.latest(_KIND)
    return None if record is None else _compiled(record)


def published(playbook: Playbook, log: Log, now: datetime) -> Playbook:
    """The last published playbook. The first time, the one given is published."""
    last = last_published(log)
    if last is None:
        log.append([_record(playbook, f"catalog-{playbook.version}", now=now)])
    return last or playbook


def publish(playbook: Playbook, log: Log, *, now: datetime, by: str | None = None, why: str | None = None) -> Publication:
    """Make a playbook the published one, and fold states by it. Publishing an older version again rolls back to it.

    The version of before need not compile: publishing is also how a faulty one is replaced. Safe to repeat: what was
    interrupted between the record and the states is finished.
    """
    last = log.latest(_KIND)
    before = None if last is None else str(last.body["version"])
    is_new = before != playbook.version
    if is_new:
        message_id = f"catalog-{playbook.version}" if last is None else f"catalog-{playbook.version}-{last.sequence}"
        log.append([_record(playbook, message_id, now=now, by=by, why=why)])
        # of two that publish at the same time the later one holds
        held = log.latest(_KIND)
        if held is None or held.body["version"] != playbook.version:
            raise KairosError("another version was published at the same time; see 'kairos catalog diff', then publish again")
    texts: Mapping[str, str] = {} if last is None else last.body["files"]
    return Publication(
        version=playbook.version,
        before=before,
        is_new=is_new,
        by=by,
        why=why,
        refolded=log.follow(state_rules(playbook)),
        other_profiles=bool(texts) and _profiles(texts) != _profiles(playbook.texts),
        differences=tuple(differences(texts, playbook.texts)) if texts else (),
    )


class Published:
    """Every version that was ever published, compiled when it is first asked for."""

    def __init__(self, log: ReadsRecords) -> None:
        self._log = log
        self._rulebooks: dict[str, Rulebook] = {}

    def __call__(self, version: str) -> Rulebook:
        """Raises KairosError for a version that was never published, or that this code cannot compile; LogUnavailable."""
        if version not in self._rulebooks:
            record = next((one for one in self._log.read(after=0, kinds=(_KIND,)) if one.body["version"] == version), None)
            if record is None:
                raise KairosError(f"version {version} of the catalog is not in this log; it was published elsewhere")
            try:
                self._rulebooks[version] = compile_past(record.body["files"]).compiled()
            except Exception as error:  # no check of today looked at it, so it may fail in any way
                cause = str(error) if isinstance(error, KairosError) else repr(error)
                raise KairosError(
                    f"this Kairos cannot compile version {version} of the catalog; the one that published it can: {cause}"
                ) from error
        return self._rulebooks[version]


class Publications:
    """What was published since it was last asked."""

    def __init__(self, log: ReadsRecords) -> None:
        self._log, self._seen = log, 0

    def newest(self) -> Playbook | None:
        """The last of those published since the last call, each once; None where none was.

        Raises WorkspaceError for one that this code cannot compile, LogUnavailable.
        """
        last = None
        for record in self._log.read(after=self._seen, kinds=(_KIND,)):
            last = record
        if last is None:
            return None
        # only what was read to the end was told
        self._seen = last.sequence
        return _compiled(last)


def _profiles(texts: Mapping[str, str]) -> tuple[Any, Any]:
    """What of a version's texts the stored profiles are made by."""
    return plain(texts["profile.yaml"]), plain(texts["brand.yaml"]).get("time_zone")


def _compiled(record: Record) -> Playbook:
    body = record.body
    try:
        return compile_playbook(body["files"], folder=f"published version {body['version']}: ")
    except WorkspaceError as error:
        cure = "mend the workspace's files and run 'kairos catalog publish': this Kairos cannot read the published version"
        raise WorkspaceError([*error.faults, cure]) from error


def _record(playbook: Playbook, message_id: str, *, now: datetime, by: str | None = None, why: str | None = None) -> Record:
    body: dict[str, Any] = {"version": playbook.version, "files": dict(playbook.texts)}
    body |= {name: word for name, word in (("by", by), ("why", why)) if word}
    return Record(
        kind=_KIND,
        message_id=message_id,
        customer_id=None,
        event_time=now,
        known_time=now,
        payload=msgspec.json.encode(body),
    )
