"""Group commit: who comes at once shares a commit, and nobody's failure is another's."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.log import Conflict, Log, LogUnavailable
from features.log.commits import Commits
from features.log.databases import engine_for
from features.log.offers import taken
from tests.log.writing import RULES, decision, event
from tests.worlds import NOW


class Table:
    """One column in a file, changed through commits; `groups` tells how many works each commit kept."""

    def __init__(self, file: Path) -> None:
        self.engine = engine_for(f"sqlite:///{file}")
        self.groups: list[int] = []
        self.fails: Exception | None = None
        with self.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE rows (one TEXT PRIMARY KEY)")
        self.groups.clear()
        self.commits = Commits(self.writing)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            before = self.count(connection)
            yield connection
            self.groups.append(self.count(connection) - before)
            if self.fails is not None:
                raise self.fails

    def count(self, connection: sa.Connection) -> int:
        if not sa.inspect(connection).has_table("rows"):
            return 0
        return int(connection.exec_driver_sql("SELECT count(*) FROM rows").scalar_one())

    def add(self, name: str, then: Callable[[], None] = lambda: None) -> str:
        def work(connection: sa.Connection) -> str:
            connection.exec_driver_sql("INSERT INTO rows VALUES (?)", (name,))
            then()
            return name

        return self.commits.run(work)

    def fill(self, connection: sa.Connection) -> None:
        """Write more than there is room for."""
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        try:
            connection.exec_driver_sql("INSERT INTO rows VALUES (?)", ("x" * 100_000,))
        finally:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")

    def waiting(self, count: int) -> None:
        """Until so many threads wait."""
        while len(self.commits._waiting) < count:
            time.sleep(0.001)

    def rows(self) -> set[str]:
        with self.engine.connect() as connection:
            return set(connection.exec_driver_sql("SELECT one FROM rows").scalars())


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    table = Table(tmp_path / "table.db")
    yield table
    table.engine.dispose()


def together(table: Table, *works: Callable[[], Any]) -> list[Any]:
    """What each returned or raised, all of them having come while the commit of `first` was under way."""
    going, go = threading.Event(), threading.Event()
    answers: list[Any] = [None] * len(works)

    def hold() -> None:
        going.set()
        go.wait()

    def run(at: int) -> None:
        try:
            answers[at] = works[at]()
        except Exception as error:
            answers[at] = error

    first = threading.Thread(target=table.add, args=("first", hold))
    first.start()
    going.wait()
    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(works))]
    for at, thread in enumerate(threads):
        thread.start()
        table.waiting(at + 1)
    go.set()
    for thread in (first, *threads):
        thread.join()
    return answers


def test_one_who_is_alone_is_answered_after_a_commit_of_its_own(table: Table) -> None:
    assert [table.add("a"), table.add("b")] == ["a", "b"]
    assert table.groups == [1, 1]


def test_those_who_come_while_a_commit_is_under_way_share_the_next(table: Table) -> None:
    answers = together(table, *(lambda name=name: table.add(name) for name in "abcde"))
    assert answers == list("abcde")
    assert table.groups == [1, 5]
    assert table.rows() == {"first", *"abcde"}


def test_a_commit_takes_so_many_and_the_next_takes_the_others(table: Table) -> None:
    names = [f"n{at}" for at in range(70)]
    assert together(table, *(lambda name=name: table.add(name) for name in names)) == names
    assert table.groups == [1, 64, 6]


def test_what_one_raises_is_its_own_and_leaves_nothing_of_it(table: Table) -> None:
    def broken() -> None:
        raise Conflict("too late")

    answers = together(
        table,
        lambda: table.add("a"),
        lambda: table.add("b", broken),
        lambda: table.add("a"),  # is there already
        lambda: table.add("c"),
    )
    assert (answers[0], str(answers[1]), answers[3]) == ("a", "too late", "c")
    assert isinstance(answers[1], Conflict) and isinstance(answers[2], LogUnavailable)
    assert "UNIQUE" in str(answers[2])
    assert table.rows() == {"first", "a", "c"}
    assert table.groups == [1, 2]


def test_each_sees_what_those_before_it_wrote(table: Table) -> None:
    def seen() -> int:
        return table.commits.run(table.count)

    assert together(table, lambda: table.add("a"), seen, lambda: table.add("b"), seen) == ["a", 2, "b", 3]


def test_a_commit_that_fails_acknowledges_nobody(table: Table) -> None:
    def fail() -> None:
        table.fails = LogUnavailable("the disk is full")

    answers = together(table, lambda: table.add("a", fail), lambda: table.add("b"))
    assert [type(one) for one in answers] == [LogUnavailable, LogUnavailable]
    assert {str(one) for one in answers} == {"the disk is full"}
    assert answers[0] is not answers[1]  # each thread raises its own
    assert table.rows() == {"first"}
    table.fails = None
    assert table.add("b") == "b"


def test_one_who_is_interrupted_while_waiting_writes_nothing_and_holds_nobody_up(table: Table) -> None:
    going, go = threading.Event(), threading.Event()

    def hold() -> None:
        going.set()
        go.wait()

    first = threading.Thread(target=table.add, args=("first", hold))
    first.start()
    going.wait()
    main = threading.get_ident()
    others = [threading.Thread(target=table.add, args=(name,)) for name in "bc"]

    def interrupt() -> None:
        table.waiting(1)
        for other in others:
            other.start()
        table.waiting(3)
        signal.pthread_kill(main, signal.SIGUSR1)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    # not SIGINT, which a process that was started in the background ignores
    before = signal.signal(signal.SIGUSR1, interrupted)
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        table.add("a")
    signal.signal(signal.SIGUSR1, before)
    go.set()
    for thread in (first, interrupter, *others):
        thread.join()
    assert table.rows() == {"first", "b", "c"}
    assert table.add("d") == "d"


def test_where_the_disk_is_full_for_one_nobody_of_its_commit_is_acknowledged(table: Table) -> None:
    """SQLite ends the whole transaction by itself then, with what was written before."""

    def huge() -> Any:
        return table.commits.run(lambda connection: table.fill(connection))

    answers = together(table, lambda: table.add("before"), huge, lambda: table.add("after"))
    assert [type(one) for one in answers] == [LogUnavailable] * 3
    assert all("full" in str(one) for one in answers)
    assert table.rows() == {"first"}
    assert table.add("before") == "before"
    assert table.rows() == {"first", "before"}


def test_a_work_that_hides_that_the_transaction_was_ended_is_not_acknowledged_even_alone(table: Table) -> None:
    def hiding(connection: sa.Connection) -> str:
        connection.exec_driver_sql("INSERT INTO rows VALUES ('lost')")
        with suppress(sa.exc.OperationalError):
            table.fill(connection)
        return "done"

    with pytest.raises(LogUnavailable, match="gave up"):
        table.commits.run(hiding)
    (answer,) = together(table, lambda: table.commits.run(hiding))
    assert isinstance(answer, LogUnavailable)
    assert table.rows() == {"first"}


# ---------------------------------------------------------------------------------------------------------------- the log


def test_of_a_server_that_is_lost_within_a_commit_all_hear_that_the_log_is_unavailable(empty: str) -> None:
    """Whoever shares it, and nothing of it is kept; the next commit has a new connection."""
    server = Log(empty, RULES)
    going, go = threading.Event(), threading.Event()
    answers: dict[str, Any] = {}

    def first(connection: sa.Connection) -> None:
        going.set()
        go.wait()

    def lost(connection: sa.Connection) -> None:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    def run(name: str, ask: Callable[[], Any]) -> None:
        try:
            answers[name] = ask()
        except Exception as error:
            answers[name] = error

    works: dict[str, Callable[[], Any]] = {
        "first": lambda: server._commits.run(first),
        "before": lambda: server.append([event("A", message_id="before")]),
        "lost": lambda: server._commits.run(lost),
        "after": lambda: server.append([event("A", message_id="after")]),
    }
    threads = []
    for at, (name, ask) in enumerate(works.items()):
        threads.append(threading.Thread(target=run, args=(name, ask)))
        threads[-1].start()
        going.wait()
        while len(server._commits._waiting) < at:
            time.sleep(0.001)
    go.set()
    for thread in threads:
        thread.join()
    assert answers.pop("first") is None
    assert {name: type(one) for name, one in answers.items()} == dict.fromkeys(("before", "lost", "after"), LogUnavailable)
    assert server.append([event("A", message_id="before")]) == [True]
    assert [record.message_id for record in server.read()] == ["before"]
    server.close()


def test_of_many_threads_that_decide_at_once_no_cap_is_broken_and_all_is_as_if_one_came_after_the_other(log: Log) -> None:
    """Each reads its customer's state and decides; a conflict leaves nothing, whatever else was in the same commit."""
    outcomes: dict[str, str] = {}

    def decide(name: str) -> None:
        for at in range(12):
            customer = f"c{at % 3}"
            made = decision(decision_id=f"{name}{at}", customer=customer)
            _, version = log.state(customer)
            try:
                outcomes[made.message_id] = str(log.append([made], expecting={customer: version}, budgets={"coupon": 20})[0])
            except Conflict as conflict:
                outcomes[made.message_id] = "budget" if "budget" in str(conflict) else "changed"
            log.append([event("Complaint Opened", message_id=f"e{name}{at}", customer=f"{name}{at}")])

    threads = [threading.Thread(target=decide, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 96
    made = {record.message_id for record in log.read(kinds=("decision",))}
    assert made == {name for name, outcome in outcomes.items() if outcome == "True"}
    assert len(made) <= 20
    assert log.query(lambda connection: taken(connection, ["coupon"], NOW)) == {"coupon": len(made)}
    assert sum(len(log.state(f"c{at}")[0].contacts) for at in range(3)) == len(made)
    assert [record.sequence for record in log.read()] == list(range(1, 96 + len(made) + 1))
    assert log.verify().fault is None
