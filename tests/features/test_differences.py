"""What one version of a brand's files changes against another, told in lines that a marketer reads."""

import re
from dataclasses import asdict

import pytest

from features.differences import Comparison, differences
from tests.corner import TEXTS

BREAD_AT_APP = '      app: {title: "Bread, {first_name|neighbour}", body: "Until {valid_until|soon}."}\n'


def changed(file: str, *replacements: tuple[str, str]) -> dict[str, str]:
    """The brand's texts with each of these found and replaced."""
    text = TEXTS[file]
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return TEXTS | {file: text}


def lines(after: dict[str, str], before: dict[str, str] = TEXTS) -> list[str]:
    return [re.sub(r" +", " ", one.line()) for one in differences(before, after)]


SORRY = TEXTS["catalog.yaml"][TEXTS["catalog.yaml"].index("  sorry:") :]
FIRST_CAP, SECOND_CAP = (line + "\n" for line in TEXTS["policy.yaml"].splitlines() if "- {rule:" in line and "most" in line)


@pytest.mark.parametrize(
    ("file", "replacements", "told"),
    [
        pytest.param(
            "catalog.yaml", [("value: 10.0", "value: 11.5")], ["changed action bread: value 10.0 -> 11.5"], id="value"
        ),
        pytest.param("catalog.yaml", [("    budget: 3\n", "")], ["changed action bread: budget 3 -> nothing"], id="key gone"),
        pytest.param(
            "catalog.yaml",
            [("    topics: [bakery]", "    topics: [bakery, produce]")],
            ["changed action bread: topics [bakery] -> [bakery, produce]"],
            id="list",
        ),
        pytest.param(
            "catalog.yaml",
            [("features: {coupons: 2}", "features: {coupons: 3}")],
            ["changed action bread: response.features.coupons 2 -> 3"],
            id="deep key",
        ),
        pytest.param(
            "catalog.yaml",
            [("valid_until: 2018-02-01", "valid_until: 2018-03-01")],
            ["changed action bread: valid_until 2018-02-01 -> 2018-03-01"],
            id="date",
        ),
        pytest.param(
            "catalog.yaml",
            [("title: Bread by mail", "title: Bread by post")],
            ['changed words bread at email: title "Bread by mail" -> "Bread by post"'],
            id="words",
        ),
        pytest.param("catalog.yaml", [(BREAD_AT_APP, "")], ["removed words bread at app"], id="words gone"),
        pytest.param("catalog.yaml", [(SORRY, "")], ["removed action sorry"], id="an action goes with its words"),
        pytest.param(
            "catalog.yaml",
            [(SORRY, SORRY.replace("sorry", "regret"))],
            ["removed action sorry", "added action regret"],
            id="renamed",
        ),
        pytest.param(
            "policy.yaml",
            [("require: profile.orders_30d > 0", "require: [profile.orders_30d > 1, stage = active]")],
            [
                'changed eligibility rule has_shopped: require "profile.orders_30d > 0" -> '
                '["profile.orders_30d > 1", "stage = active"]'
            ],
            id="rule",
        ),
        pytest.param("policy.yaml", [("most: 5", "most: 4")], ["changed cap five_a_week: most 5 -> 4"], id="cap"),
        pytest.param("policy.yaml", [(FIRST_CAP, "")], ["removed cap five_a_week"], id="cap gone"),
        pytest.param(
            "policy.yaml",
            [(FIRST_CAP + SECOND_CAP, SECOND_CAP + FIRST_CAP)],
            ["order cap: five_a_week, one_email_a_day -> one_email_a_day, five_a_week"],
            id="order of rules",
        ),
        pytest.param(
            "policy.yaml",
            [("start: 21:00", "start: 20:00")],
            ["changed policy: contact.quiet_hours.start 21:00 -> 20:00"],
            id="time of day",
        ),
        pytest.param(
            "policy.yaml",
            [("  - {stage: active}", "  - {stage: loyal, when: profile.points > 9}\n  - {stage: active}")],
            ["added stage loyal"],
            id="stage",
        ),
        pytest.param(
            "touchpoints.yaml",
            [("attention: 0.02", "attention: 0")],
            ["changed touchpoint app: attention 0.02 -> 0"],
            id="nought",
        ),
        pytest.param(
            "profile.yaml", [("unit: points}", "unit: stars}")], ["changed feature points: unit points -> stars"], id="feature"
        ),
        pytest.param(
            "profile.yaml",
            [("produce: [PRODUCE]", "produce: [FRUIT]")],
            ["changed topic produce: [PRODUCE] -> [FRUIT]"],
            id="topic",
        ),
        pytest.param("brand.yaml", [("name: Corner", "name: Korner")], ["changed brand: name Corner -> Korner"], id="brand"),
        pytest.param(
            "brand.yaml",
            [("marketing: {default: false", "marketing: {default: true")],
            ["changed purpose marketing: default false -> true"],
            id="purpose",
        ),
        pytest.param(
            "brand.yaml", [("  Complaint Closed: {complaint: closed}\n", "")], ["removed signal Complaint Closed"], id="signal"
        ),
        pytest.param(
            "catalog.yaml", [("value: 10.0", "value: 10  # dollars")], [], id="a comment and another form of one number"
        ),
        pytest.param(
            "touchpoints.yaml",
            [("app: {channel: app, direction: inbound", "app: {direction: inbound, channel: app")],
            [],
            id="order of keys",
        ),
    ],
)
def test_each_change_is_one_line(file: str, replacements: list[tuple[str, str]], told: list[str]) -> None:
    assert lines(changed(file, *replacements)) == told


def test_a_change_the_other_way_round_is_told_the_other_way_round() -> None:
    more = changed("catalog.yaml", ("value: 10.0", "value: 11.5"), ("    budget: 3\n", ""))
    assert lines(TEXTS, before=more) == [
        "changed action bread: value 11.5 -> 10.0",
        "changed action bread: budget nothing -> 3",
    ]


BY_MAIL = "email: {title: Bread by mail, body: Hello.}"
IN_TWO_TONES = "email: [{tone: warm, title: Bread by mail, body: Hello.}, {title: Bread, body: Here.}]"


def test_texts_in_several_tones_are_told_by_their_tone() -> None:
    before = changed("catalog.yaml", (BY_MAIL, IN_TWO_TONES))
    after = changed(
        "catalog.yaml", (BY_MAIL, IN_TWO_TONES.replace("body: Hello.", "body: Hello!").replace("body: Here.", "body: Now."))
    )
    assert lines(after, before=before) == [
        "changed words bread at email: warm.body Hello. -> Hello!",
        "changed words bread at email: 2.body Here. -> Now.",
    ]


def test_of_two_things_with_one_name_each_is_compared() -> None:
    twice = (FIRST_CAP, FIRST_CAP + FIRST_CAP.replace("most: 5", "most: 9"))
    before = changed("policy.yaml", twice)
    after = changed("policy.yaml", (twice[0], twice[1].replace("most: 9", "most: 8")))
    assert lines(after, before=before) == ["changed cap five_a_week (2): most 9 -> 8"]


def test_an_action_is_not_taken_for_a_view_of_the_same_name() -> None:
    named_alike = changed("catalog.yaml", ("  sorry:", "  orders:"))
    without = {**named_alike, "catalog.yaml": TEXTS["catalog.yaml"].replace(SORRY, "")}
    assert lines(without, before=named_alike) == ["removed action orders"]


def test_a_version_of_fewer_files_is_compared_too() -> None:
    older = {name: text for name, text in TEXTS.items() if name != "profile.yaml"}
    told = lines(TEXTS, before=older)
    assert "added view orders" in told and "added topic bakery" in told
    assert not any("feature" in line for line in told)


def test_a_comparison_says_when_there_is_nothing_to_publish() -> None:
    def told(published: str | None) -> list[str]:
        return Comparison(published=published, workspace="w", differences=()).lines()

    assert told(None) == ["published nothing yet; the workspace is version w"]
    assert told("w") == ["same      the workspace is version w, which is published"]
    assert told("p") == ["version   p is published, the workspace is w", "same      nothing but comments and layout is another"]


def test_a_change_is_data_for_machines_too() -> None:
    (one,) = differences(TEXTS, changed("policy.yaml", ("most: 5", "most: 4")))
    assert asdict(one) == {
        "how": "changed", "what": "cap", "name": "five_a_week", "field": "most", "before": "5", "after": "4"
    }  # fmt: skip
