"""Exports by a mapping: columns to records, and what is said where they do not fit."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import examples.grocer
from features.ingest import IngestReport, ingest
from features.ingest_files import MAX_ROW_BYTES, IngestError
from features.ingest_mapping import Column, FileMapping, MappedReader, TimeColumn
from features.ingest_values import LARGEST_NUMBER
from features.log import Log, Record, StateRules
from features.quarantine import Refused, forget
from features.workspace import Workspace
from features.yaml_nodes import WorkspaceError, decode
from tests.features import exports, worlds
from tests.features.exports import MAPPINGS, NOW, sales, written

EXAMPLES = Path(examples.grocer.__file__).parents[1]


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return exports.brand(tmp_path / "brand")


@pytest.fixture
def log(place: Workspace) -> Iterator[Log]:
    with worlds.log_of(place) as opened:
        yield opened


def mapping(**changes: Any) -> FileMapping:
    base = decode(MAPPINGS, dict[str, FileMapping], file="ingest.yaml")["sales"]
    return replace(base, **changes)


def read(row: dict[str, Any], **changes: Any) -> tuple[Record, ...]:
    base = {"who": "c1", "at": "2017-11-05T10:00:00Z", "id": "s1", "total": "9.5"}
    return MappedReader("sales", mapping(**changes), zone=worlds.ZONE, now=NOW).records(base | row)


def refused(row: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(Refused) as error:
        read(row, **changes)
    return error.value.reason


# ------------------------------------------------------------------------------------------------------------- the examples


def test_the_crm_and_the_loyalty_export_of_the_examples_are_taken_in_by_their_mapping(tmp_path: Path) -> None:
    for file in (EXAMPLES / "grocer").glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "ingest.yaml").write_bytes((EXAMPLES / "crm" / "ingest.yaml").read_bytes())
    place = Workspace.load(tmp_path)
    log = Log(place.log_url, StateRules(signals=place.brand.signals))

    def both() -> list[IngestReport]:
        names = ("crm", "loyalty")
        return [ingest(place, log, [EXAMPLES / "crm" / f"{name}_export.csv"], now=NOW, mapping=name) for name in names]

    crm, loyalty = (report.files[0] for report in both())
    assert (crm.rows, crm.new, crm.refused, crm.unused) == (5, 8, {"no_customer": 1, "wrong_type": 1}, ("Branch",))
    assert (loyalty.rows, loyalty.new, loyalty.refused) == (8, 6, {"absurd_time": 1, "unknown_kind": 1})
    state, _ = log.state("1202")
    assert state.consents == {"marketing": True, "personalisation": False}
    assert state.traits["first_name"] == "Chiara"
    assert state.emotion is not None and state.emotion.valence == pytest.approx(0.8)  # would recommend: 9 of 10
    assert [report.files[0].new for report in both()] == [0, 0]
    log.close()


# ---------------------------------------------------------------------------------------------------------------- the rows


def test_a_row_becomes_a_message_whose_id_is_a_hash_of_the_columns_that_tell_it_apart() -> None:
    (record,) = read({})
    assert record.body == {
        "type": "track",
        "event": "Order Completed",
        "messageId": record.message_id,
        "userId": "c1",
        "timestamp": "2017-11-05T10:00:00Z",
        "properties": {"total": 9.5},
        "context": {"ingest": "sales"},
    }
    assert read({"total": "1"})[0].message_id == record.message_id
    assert read({"id": "s2"})[0].message_id != record.message_id
    assert (
        MappedReader("others", mapping(), zone="UTC", now=NOW)
        .records({"who": "c1", "at": "2017-11-05T10:00:00Z", "id": "s1", "total": None})[0]
        .message_id.startswith("others-")
    )


@pytest.mark.parametrize(
    ("cell", "time", "expected"),
    [
        ("2017-11-05", TimeColumn(column="at"), datetime(2017, 11, 5, 4, tzinfo=UTC)),
        ("2017-11-05T01:30:00", TimeColumn(column="at"), datetime(2017, 11, 5, 5, 30, tzinfo=UTC)),
        ("2017-11-05T10:00:00+01:00", TimeColumn(column="at"), datetime(2017, 11, 5, 9, tzinfo=UTC)),
        ("05.11.2017 10:00", TimeColumn(column="at", form="%d.%m.%Y %H:%M", zone="UTC"), datetime(2017, 11, 5, 10, tzinfo=UTC)),
        ("1509876000", TimeColumn(column="at", form="seconds"), datetime(2017, 11, 5, 10, tzinfo=UTC)),
        (1509876000500, TimeColumn(column="at", form="milliseconds"), datetime(2017, 11, 5, 10, 0, 0, 500_000, tzinfo=UTC)),
        (date(2017, 11, 5), TimeColumn(column="at", zone="UTC"), datetime(2017, 11, 5, tzinfo=UTC)),
        (datetime(2017, 11, 5, 10), TimeColumn(column="at", zone="UTC"), datetime(2017, 11, 5, 10, tzinfo=UTC)),  # noqa: DTZ001
    ],
)
def test_a_time_is_read_in_its_form_and_placed_in_its_zone(cell: Any, time: TimeColumn, expected: datetime) -> None:
    assert read({"at": cell}, time=time)[0].event_time == expected


def test_known_is_when_it_happened_on_arrival_or_as_a_column_says() -> None:
    assert read({})[0].known_time == read({})[0].event_time
    assert read({}, known="on_arrival")[0].known_time == NOW
    told = read({"told": "2017-12-01T00:00:00Z"}, known=TimeColumn(column="told"))
    assert told[0].known_time == datetime(2017, 12, 1, tzinfo=UTC)


def test_the_properties_of_a_product_stand_in_the_one_product_of_the_row() -> None:
    both = {"products.price": "total", "products.category": "who", "sku": "id"}
    properties = read({}, properties=both)[0].body["properties"]
    assert properties == {"products": [{"price": "9.5", "category": "c1"}], "sku": "s1"}
    assert read({"total": None, "who": "c1"}, properties={"products.price": "total"})[0].body["properties"] == {}


def test_a_row_can_be_consents_only_and_an_empty_cell_says_nothing() -> None:
    changes: dict[str, Any] = {"kind": "consent", "event": None, "properties": {}, "consents": {"a": "x", "b": "y", "c": "z"}}
    records = read({"x": "YES", "y": "", "z": False}, **changes)
    assert [(one.kind, one.body["purpose"], one.body["granted"]) for one in records] == [
        ("consent", "a", True),
        ("consent", "c", False),
    ]
    assert len({one.message_id for one in records}) == 2
    assert refused({"x": "maybe", "y": "", "z": ""}, **changes) == "wrong_type"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"who": ""}, "no_customer"),
        ({"who": None}, "no_customer"),
        ({"who": float("nan")}, "no_customer"),
        ({"who": 10.5}, "wrong_type"),
        ({"who": "anonymous:x"}, "wrong_type"),
        ({"id": ""}, "no_message_id"),
        ({"at": ""}, "no_time"),
        ({"at": "yesterday"}, "wrong_type"),
        ({"at": True}, "wrong_type"),
        ({"at": "1900-01-01"}, "absurd_time"),
        ({"at": "2200-01-01"}, "absurd_time"),
        ({"at": "9999-12-31T23:59:59"}, "absurd_time"),
        ({"total": "12,5"}, "wrong_type"),
        ({"total": "nan"}, "wrong_type"),
        ({"total": "1e300"}, "wrong_type"),
        ({"total": float("inf")}, "wrong_type"),
        ({"total": True}, "wrong_type"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_reason(row: dict[str, Any], reason: str) -> None:
    assert refused(row) == reason


@pytest.mark.parametrize(("cell", "expected"), [(1029, "1029"), (1029.0, "1029"), (Decimal(1029), "1029"), ("0029", "0029")])
def test_a_customer_may_be_a_whole_number(cell: Any, expected: str) -> None:
    assert read({"who": cell})[0].customer_id == expected


@pytest.mark.parametrize(
    ("cell", "decimal", "expected"),
    [("-1.5e2", ".", -150.0), ("12,5", ",", 12.5), ("7", ",", 7.0), (Decimal("1.25"), ".", 1.25)],
)
def test_a_number_is_read_with_the_mappings_decimal_sign(cell: Any, decimal: str, expected: float) -> None:
    assert read({"total": cell}, decimal=decimal)[0].body["properties"] == {"total": expected}


def test_thousands_signs_are_refused_rather_than_guessed() -> None:
    assert refused({"total": "1.234,5"}, decimal=",") == "wrong_type"
    assert refused({"total": "1.234"}, decimal=",") == "wrong_type"


def test_what_no_message_could_hold_is_refused() -> None:
    assert refused({"total": "x" * MAX_ROW_BYTES}, properties={"note": "total"}) == "oversized"
    assert refused({"total": object()}, properties={"note": "total"}) == "wrong_type"


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=4), st.decimals(), st.dates(),
    st.datetimes(), st.lists(st.floats(), max_size=2), st.sampled_from(["2017-11-05", "1", "yes", "9.5"]),
)  # fmt: skip


@given(st.fixed_dictionaries(dict.fromkeys(("who", "at", "id", "total", "x"), CELLS)))
@settings(max_examples=400)
def test_whatever_the_cells_hold_the_row_is_records_or_refused(row: dict[str, Any]) -> None:
    columns = {"total": Column(column="total", type="number"), "note": Column(column="x", type="text"), "as_is": "x"}
    for form in ("iso", "seconds", "%Y"):
        with suppress(Refused):
            for record in read(row, properties=columns, time=TimeColumn(column="at", form=form)):
                assert record.body["properties"].get("total", 0.0) <= LARGEST_NUMBER


# ---------------------------------------------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("kind: {kind: track", "not YAML"),
        ("sales: {kind: track, customer: who, time: {column: at}, message_id: [id]}", "kind track needs an event"),
        ("sales: {kind: rating, customer: who, time: {column: at}, message_id: [id]}", "'rating' is not one of"),
        (
            "sales: {kind: consent, customer: w, time: {column: a}, message_id: [i], consents: {spam: x}}",
            "unknown purpose spam",
        ),
        ("sales: {kind: consent, customer: w, time: {column: a, zone: Mars}, message_id: [i], consents: {spam: x}}", "'Mars'"),
        ("sales: {kind: consent, customer: w, time: {column: a, form: soon}, message_id: [i], consents: {spam: x}}", "'soon'"),
        ("other: {kind: consent, customer: w, time: {column: a}, message_id: [i], consents: {spam: x}}", "it has other"),
    ],
)
def test_a_fault_of_ingest_yaml_is_told_with_its_cure(
    text: str, cause: str, place: Workspace, log: Log, tmp_path: Path
) -> None:
    (place.path / "ingest.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(WorkspaceError, match=cause):
        sales(place, log, written(tmp_path, "who,at,id,total\n"))


def test_without_ingest_yaml_the_examples_are_named(place: Workspace, log: Log, tmp_path: Path) -> None:
    (place.path / "ingest.yaml").unlink()
    with pytest.raises(WorkspaceError, match=r"copy the form from examples/crm/ingest\.yaml"):
        sales(place, log, written(tmp_path, "who,at,id,total\n"))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "the file is empty"),
        ("who,at,id,sum\n", "the column 'total' of the mapping is missing"),
        ("who,at,id,totals\n", "is it 'totals' now?"),
        ("who;at;id;total\n", "is ',' the delimiter?"),
        ("who,at,id,total,total\n", "the column 'total' is there 2 times"),
        ('who,"at\n', "the header cannot be read"),
        (b"wh\xff,at,id,total\n", "the header cannot be read"),
    ],
)
def test_a_header_that_does_not_fit_stops_the_run_before_it_begins(
    text: str | bytes, cause: str, place: Workspace, log: Log, tmp_path: Path
) -> None:
    with pytest.raises(IngestError) as error:
        sales(place, log, written(tmp_path, text))
    assert cause in str(error.value) and str(tmp_path / "sales.csv") in str(error.value)
    assert log.last_sequence() == 0


GOOD = "c1,2017-11-05,s0,1\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c1,2017-11-05,s1\n", "not_csv"),
        ('c1,2017-11-05,"s1"x,2\n', "not_csv"),
        (b"c1,2017-11-05,s\xff,2\n", "not_utf8"),
        ("c1,2017-11-05,s1," + "9" * MAX_ROW_BYTES + "\n", "oversized"),
    ],
    ids=["too few cells", "a quote inside", "not UTF-8", "too long"],
)
def test_a_bad_line_of_a_table_spoils_no_other(
    row: str | bytes, reason: str, place: Workspace, log: Log, tmp_path: Path
) -> None:
    line = row if isinstance(row, bytes) else row.encode()
    text = b"\xef\xbb\xbfwho,at,id,total\n" + GOOD.encode() + line + b"\n" + b"c2,2017-11-05,s2,2\n"
    report = sales(place, log, written(tmp_path, text))
    assert (report.new, report.refused) == (2, {reason: 1})


def test_a_quote_that_is_never_closed_is_one_refused_row_and_holds_no_file_in_memory(
    place: Workspace, log: Log, tmp_path: Path
) -> None:
    many = "".join(f"c1,2017-11-05,t{at},1\n" for at in range(40_000))
    report = sales(place, log, written(tmp_path, "who,at,id,total\n" + GOOD + 'c1,2017-11-05,"s1,1\n' + many))
    assert report.refused == {"oversized": 1}
    assert report.new > 20_000


def test_a_cell_may_hold_line_breaks_and_the_line_told_is_where_its_row_begins(
    place: Workspace, log: Log, tmp_path: Path
) -> None:
    text = 'who,at,id,total\n"c1",2017-11-05,"s\n1",1\nc1,never,s2,1\n'
    report = sales(place, log, written(tmp_path, text))
    assert report.new == 1
    assert '"line":4' in Path(str(report.quarantine)).read_text(encoding="utf-8")


def test_a_header_without_rows_is_an_export_of_a_quiet_day(place: Workspace, log: Log, tmp_path: Path) -> None:
    report = sales(place, log, written(tmp_path, "who,at,id,total\n"))
    assert (report.rows, report.new, report.refused) == (0, 0, {})


def test_tabs_other_encodings_and_gzip_are_read(place: Workspace, log: Log, tmp_path: Path) -> None:
    assert sales(place, log, written(tmp_path, "who\tat\tid\ttotal\nc\t2017-11-05\ts\t1\n", "sales.tsv")).new == 1
    text = MAPPINGS.replace("kind: track", "kind: track\n  encoding: cp1252")
    (place.path / "ingest.yaml").write_text(text, encoding="utf-8")
    assert sales(place, log, written(tmp_path, "who,at,id,total\nZoë,2017-11-05,s9,1\n".encode("cp1252"))).new == 1
    assert list(log.read())[-1].customer_id == "Zoë"


def test_a_refused_row_goes_with_its_customer_whatever_parts_its_cells(place: Workspace, log: Log, tmp_path: Path) -> None:
    text = MAPPINGS.replace("kind: track", "kind: track\n  delimiter: ^\n  encoding: latin-1")
    (place.path / "ingest.yaml").write_text(text, encoding="utf-8")
    rows = "who^at^id^total\nZoë^never^s1^1\nZoë Kim^never^s2^1\n"
    report = sales(place, log, written(tmp_path, rows.encode("latin-1")))
    assert report.refused == {"wrong_type": 2}
    assert forget(Path(str(report.quarantine)).parent, ["Zoë"]) == 1
