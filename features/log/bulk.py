"""Many rows at once, in the driver's own words: SQLAlchemy's way of binding each value costs more than writing it."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

_AT_ONCE = 500


def insert(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]], *, over: str | None = None) -> None:
    """Insert rows whose values stand in the order of the table's columns; `over` names a key whose old row they replace."""
    names = [column.name for column in table.columns]
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({_marks(connection, len(names))})"
    if over is not None:
        new = ", ".join(f"{name} = excluded.{name}" for name in names if name != over)
        statement += f" ON CONFLICT ({over}) DO UPDATE SET {new}"
    connection.exec_driver_sql(statement, list(rows))


def those_in(
    connection: sa.Connection, column: sa.Column[Any], values: Sequence[Any], *wanted: sa.Column[Any]
) -> Iterator[Any]:
    """Rows of the wanted columns, as the driver gives them, where the column is one of the values."""
    names = ", ".join(one.name for one in wanted)
    for start in range(0, len(values), _AT_ONCE):
        part = tuple(values[start : start + _AT_ONCE])
        statement = f"SELECT {names} FROM {column.table.name} WHERE {column.name} IN ({_marks(connection, len(part))})"
        yield from connection.exec_driver_sql(statement, part)


def delete(connection: sa.Connection, column: sa.Column[Any], values: Sequence[Any]) -> int:
    """Delete the rows where the column is one of the values; how many there were."""
    count = 0
    for start in range(0, len(values), _AT_ONCE):
        count += connection.execute(sa.delete(column.table).where(column.in_(values[start : start + _AT_ONCE]))).rowcount
    return count


def _marks(connection: sa.Connection, count: int) -> str:
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    return ", ".join([mark] * count)
