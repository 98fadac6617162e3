import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.packed_rows import Form, StoredRows, entity_key
from tests.features.worlds import PROFILE, spec

TABLE = spec().tables[0]
NUMBERS = st.one_of(st.just(float("nan")), st.floats(-(2.0**40), 2.0**40, allow_nan=False, width=32))


def _rows(values: np.ndarray, as_of: int = 1_483_246_800_000_000) -> StoredRows:
    times = np.full(len(values), as_of, dtype=np.int64)
    return StoredRows([str(at) for at in range(len(values))], values, times, times + 5)


@given(
    st.lists(st.lists(NUMBERS, min_size=len(TABLE.columns), max_size=len(TABLE.columns)), max_size=4),
    st.integers(-(2**50), 2**50),
)
def test_what_is_packed_is_unpacked(numbers: list[list[float]], as_of: int) -> None:
    values = np.array(numbers, dtype=np.float64).reshape(len(numbers), len(TABLE.columns))
    form = Form(TABLE)
    blobs = form.pack(_rows(values, as_of))
    back = form.unpack([""] * len(blobs), blobs)
    np.testing.assert_array_equal(back.values, values)
    assert back.as_of_us.tolist() == [as_of] * len(numbers)
    assert back.known_us.tolist() == [as_of + 5] * len(numbers)
    for blob, row in zip(blobs, values, strict=True):
        np.testing.assert_array_equal(form.values(blob), row)
        assert form.fits(blob) and form.times_us(blob) == (as_of, as_of + 5) and len(blob) == form.size


def test_a_total_keeps_what_float32_rounds_away() -> None:
    form, points = Form(TABLE), TABLE.names.index("points")
    stored = _rows(np.zeros((1, len(TABLE.columns))))
    for _ in range(1_000):
        stored.values[0, points] += 0.01 + 2**24
        stored = form.unpack(stored.customers, form.pack(stored))
    # float32 alone would lose every cent
    assert stored.values[0, points] == pytest.approx(1_000 * (0.01 + 2**24), rel=1e-13)


@pytest.mark.parametrize("change", [("half_life: 30d, unit: USD", "half_life: 9d, unit: USD"), ("lines:", "rows:")])
def test_a_row_of_another_schema_does_not_fit(change: tuple[str, str]) -> None:
    blob = Form(TABLE).pack(_rows(np.zeros((1, len(TABLE.columns)))))[0]
    assert not Form(spec(PROFILE.replace(*change)).tables[0]).fits(blob)
    assert not Form(TABLE).fits(blob[:-1])
    assert not Form(TABLE).fits(b"")


@pytest.mark.parametrize("customer", ["1029", "", "Jürgen 🥐", "x" * 300])
def test_a_key_is_feasts_own_key(customer: str) -> None:
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    feasts = serialize_entity_key(EntityKey(join_keys=["customer_id"], entity_values=[Value(string_val=customer)]), 3)
    assert entity_key(customer) == feasts
