from pathlib import Path

import pytest

from features.schema import ProfileSpec
from features.yaml_nodes import WorkspaceError, decode
from tests.features.worlds import PROFILE, RICH, spec
from tests.reading import grade

GROCER = Path(__file__).parents[2] / "examples" / "grocer" / "profile.yaml"


def test_a_family_becomes_a_feature_for_each_topic_hour_and_day() -> None:
    index = spec().index
    assert [name for name in index.positions if name.startswith("spend_90d")] == ["spend_90d_bakery", "spend_90d_produce"]
    assert [name for name in index.positions if name.startswith("hour_")] == [f"hour_{hour:02d}" for hour in range(24)]
    assert next(name for name in index.positions if name.startswith("day_")) == "day_mon"
    assert index["spend_90d_bakery"].says == "what you spend on bakery"
    assert index["day_tue"].says == "how often you shop on a Tuesday"


def test_the_index_stands_in_the_order_of_the_file_and_says_how_values_age() -> None:
    index = spec().index
    assert [feature.name for feature in index.features][:7] == [
        "orders_30d", "spend_30d", "points", "lines", "since_order", "tenure", "tier",
    ]  # fmt: skip
    assert (index["orders_30d"].ages, index["orders_30d"].half_life_days) == ("decays", 30.0)
    assert (index["since_order"].ages, index["since_order"].unit) == ("grows", "days")
    assert index["points"].ages == "stays"
    assert index["tier"].labels == ("bronze", "silver", "gold")
    assert (index["age_band"].source, index["age_band"].purpose) == ("third_party", "third_party")


def test_bands_are_derived_and_not_stored() -> None:
    orders = spec().tables[0]
    assert "tier" not in orders.names and "points" in orders.names
    assert [(band.name, band.of) for band in spec().derived] == [("tier", "points")]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("half_life: 30d, unit: USD", "half_life: 31d, unit: USD", id="a half-life"),
        pytest.param("on: {outcome: delivered}", "on: {outcome: accepted}", id="what counts"),
        pytest.param("produce: [PRODUCE, FRUIT]", "produce: [PRODUCE]", id="a topic's departments"),
        pytest.param('["19-24", "25-34"]', '["25-34", "19-24"]', id="the order of labels"),
        pytest.param("spend_30d:", "spent_30d:", id="a name"),
    ],
)
def test_the_checksum_of_a_table_changes_with(before: str, after: str) -> None:
    assert before in PROFILE
    old, new = spec().tables, spec(PROFILE.replace(before, after)).tables
    assert [one.checksum for one in old] != [one.checksum for one in new]


def test_the_checksum_of_a_table_stays_when_only_words_change() -> None:
    reworded = spec(PROFILE.replace("how often you shop", "your visits"))
    assert [table.checksum for table in reworded.tables] == [table.checksum for table in spec().tables]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "{sum: 1, half_life: 30d, unit: orders",
            "{sum: 1, since: last, unit: orders",
            "exactly one of sum, count, since, ratio, band, column",
        ),
        ("{since: last}", "{since: last, half_life: 3d}", "half_life belongs to sum and count only"),
        ("cuts: [100, 500]", "cuts: [500, 100]", "cuts must rise"),
        ("cuts: [100, 500]", "cuts: [100]", "one label more than cuts"),
        ("band: points", "band: pints", "'pints' is not a single number of this view"),
        ("on: {outcome: [delivered, accepted]}", "on: {}", "says which records it reads"),
        ("on: {outcome: [delivered, accepted]}", "on: {outcome: delivered}", "on must be a part of the view's on"),
        ("on: {outcome: [delivered, accepted]}", "on: {outcome: delivered, event: Seen}", "events or outcomes"),
        ("lines: {sum", "at: {sum", "the name is reserved"),
        ("lines: {sum", "offers_7d: {sum", "'offers_7d' is written twice"),
        ('"items_{topic}": {sum: 1, by: topic}', '"items": {sum: 1, by: topic}', "must hold {topic} once"),
        ("produce: [PRODUCE, FRUIT]", "produce: [PASTRY]", "'PASTRY' is in two topics"),
        ("    file: households.csv\n", "", "needs file, key and known_at"),
        ("members: {column: size}", "members: {sum: 1}", "third-party views take column"),
        ("{sum: 1, half_life: 30d, unit: orders", "{sum: 2, half_life: 30d, unit: orders", "sum takes 1"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused_with_the_cause(before: str, after: str, says: str) -> None:
    assert before in PROFILE
    with pytest.raises(WorkspaceError, match=r"profile\.yaml:\d+:\d+") as refused:
        spec(PROFILE.replace(before, after))
    assert says in str(refused.value)


def test_families_may_be_of_places_groups_records_and_of_two_things_at_once() -> None:
    index = spec(RICH).index
    assert [name for name in index.positions if name.startswith("ratings_")] == [
        "ratings_mailer", "ratings_app_home", "ratings_app_list",
    ]  # fmt: skip
    assert {"told_satisfaction_rated", "told_effort_rated", "rate_coupons", "rate_care"} <= set(index.positions)
    assert {"clicked_00_mail", "clicked_23_app", "clicked_mail_mon", "clicked_app_sun"} <= set(index.positions)
    assert sum(name.startswith("clicked_") for name in index.positions) == 2 * (24 + 7)


def test_every_feature_has_a_type_unit_source_purpose_and_owner() -> None:
    profile = decode(GROCER.read_text(encoding="utf-8"), ProfileSpec, file="profile.yaml")
    for entry in profile.entries:
        unit = entry.unit or entry.spec.type in ("label", "share")
        assert unit and entry.owner and entry.purpose, entry.name
    assert {entry.spec.type for entry in profile.entries} == {"count", "number", "days", "share", "label"}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("{ratio: {of: taken, over: sent}}", "{ratio: {of: token, over: sent}}", "'token' is not a number of this view"),
        ("{ratio: {of: taken, over: sent}}", "{ratio: {of: taken, over: sent}, ttl: 3d}", "what the feature is derived from"),
        ('over: "sent_{group}"}, by: group}', 'over: "sent_{group}"}}', "{...} in a name needs by"),
        ("labels: [no, some, very], default: no", "labels: [no, some, very], default: none", "none of the labels"),
        ("{count: rating, by: touchpoint", "{count: touchpoint, by: touchpoint", "touchpoint is no number"),
        ("by: [hour, channel]", "by: [hour, channel, hour]", "a family twice"),
        ("    ttl: 60d", "    ttl: 0d", "ttl must be longer than 0"),
        ("ttl: 90d}", "range: [2, 1]}", "range is written [lowest, highest]"),
        ("ttl: 90d}", "max_null: 2}", "max_null is a share"),
        ("ttl: 90d}", "max_psi: 0}", "max_psi must be more than 0"),
        ("ttl: 90d}", "licence: x}", "licence and expires belong to column"),
    ],
)
def test_a_rich_profile_that_contradicts_itself_is_refused_with_the_cause(before: str, after: str, says: str) -> None:
    assert before in RICH
    with pytest.raises(WorkspaceError, match=r"profile\.yaml:\d+:\d+") as refused:
        spec(RICH.replace(before, after))
    assert says in str(refused.value)


def test_what_a_feature_reads_are_the_stored_ones_it_is_made_of() -> None:
    profile = spec(RICH)
    assert profile.reads(["rate", "points"]) == {"taken", "sent", "points"}
    assert profile.reads(["tier"]) == {"points"}
    # with a default it also asks whether the view knows anything
    assert profile.reads(["eager"]) == set(next(one for one in profile.tables if one.name == "responses").names)


def test_what_is_sensitive_is_so_by_its_feature_by_its_view_and_by_what_it_is_made_of() -> None:
    def sensitive(before: str, after: str) -> set[str]:
        assert before in PROFILE
        return {one.name for one in spec(PROFILE.replace(before, after)).index.features if one.sensitive}

    assert sensitive("known_at", "known_at") == set()
    assert sensitive("members: {", "members: {sensitive: true, ") == {"members"}
    assert sensitive("known_at: 2017-02-01", "known_at: 2017-02-01\n    sensitive: true") == {"age_band", "members"}
    assert sensitive("points: {", "points: {sensitive: true, ") == {"points", "tier"}


def test_the_grocers_profile_is_sound_and_has_what_its_catalog_and_models_ask_for() -> None:
    profile = decode(GROCER.read_text(encoding="utf-8"), ProfileSpec, file="profile.yaml")
    assert len(profile.topics) == 12
    assert {"orders_90d", "spend_90d", "since_order", "tenure", "tier", "points", "age_band"} <= set(profile.index.positions)
    assert all(feature.says for feature in profile.index.features)
    assert {feature.view for feature in profile.index.features if feature.sensitive} == {"households"}
    hard = [one.says for one in profile.index.features if grade(f"We looked at {one.says}. That counted for it.") > 8]
    assert hard == []
