"""The record of promotions: what stands on what, wherever a step was cut off."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import promotions
from training.errors import TrainingError
from training.promotions import Promotion, earlier, recorded, standing, taken_back
from training.registry import Version


def versions(bundle: str) -> dict[str, Version]:
    return {"churn": Version(name="kairos-churn", version=bundle, run_id=f"run of {bundle}")}


class Told:
    """A record as it grows, and the pointer."""

    def __init__(self) -> None:
        self.history: list[Promotion] = []
        self.current: str | None = None

    def step(self, bundle: str, *, back: bool = False, cut_off: bool = False) -> None:
        at = datetime(2018, 1, 1, tzinfo=UTC) + timedelta(days=len(self.history))
        new = Promotion(at=at, bundle=bundle, before=self.current, versions=versions(bundle), back=back)
        self.history.append(new)
        self.current = self.current if cut_off else bundle

    def back(self, *, cut_off: bool = False) -> str | None:
        found = earlier(self.history, self.current)
        if found is not None:
            self.step(found.bundle, back=True, cut_off=cut_off)
        return None if found is None else found.bundle


STEPS = st.lists(
    st.tuples(st.sampled_from(["promote", "back"]), st.sampled_from("ABCDE"), st.sampled_from([False, False, True])),
    max_size=25,
)


@given(STEPS)
def test_going_back_undoes_promotions_one_by_one_and_what_was_cut_off_never_was(steps: list[tuple[str, str, bool]]) -> None:
    told, stack = Told(), list[str]()
    for kind, bundle, cut_off in steps:
        if kind == "back":
            expected = stack[-2] if len(stack) > 1 else None
            assert told.back(cut_off=cut_off) == expected
            if expected is not None and not cut_off:
                stack.pop()
        elif bundle not in stack:  # names of bundles are hashes of their content: what comes again is a case of its own
            told.step(bundle, cut_off=cut_off)
            if not cut_off:
                stack.append(bundle)
        assert [one.bundle for one in standing(told.history, told.current)] == stack


def test_what_is_promoted_again_after_others_stands_on_them() -> None:
    told = Told()
    for bundle in "ABA":
        told.step(bundle)
    assert [told.back(), told.back(), told.back()] == ["B", "A", None]


def test_the_same_bundle_of_other_versions_takes_the_place_of_the_one_before() -> None:
    told = Told()
    for bundle in "ABB":
        told.step(bundle)
    assert [told.back(), told.back()] == ["A", None]


def test_a_rollback_may_go_forward_to_what_was_taken_back() -> None:
    told = Told()
    for bundle in "ABC":
        told.step(bundle)
    told.step("A", back=True)
    told.step("C", back=True)
    assert [told.back(), told.back()] == ["A", None]


def test_a_pointer_that_the_record_does_not_know_stands_on_the_last_one_it_knows() -> None:
    told = Told()
    told.step("A")
    found = earlier(told.history, "made by hand")
    assert found is not None and found.bundle == "A"


def test_versions_that_a_rollback_undid_are_known_until_they_are_promoted_again() -> None:
    told = Told()
    told.step("A")
    told.step("B")
    assert taken_back(told.history, told.current, versions("B")) is None
    told.back()
    undone = taken_back(told.history, told.current, versions("B"))
    assert undone is not None and undone.bundle == "B"
    assert taken_back(told.history, told.current, versions("C")) is None
    told.step("B")
    assert taken_back(told.history, told.current, versions("B")) is None


def test_a_damaged_record_is_refused_with_its_cure(tmp_path: Path) -> None:
    assert recorded(tmp_path) == ()
    (tmp_path / promotions.FILE).write_bytes(b'{"at": "yesterday"}\n')
    with pytest.raises(TrainingError, match=r"promotions\.ndjson: cannot be read .*; mend it, or move it away"):
        recorded(tmp_path)
