import pytest

from features.yaml_nodes import WorkspaceError
from tests.training.worlds import RULES, workspace
from training.errors import TrainingError
from training.fairness import Apart
from training.gates import Fairness, Gate, Registered, Shown, read_rules, rules_of, shut
from training.measured import Metric
from training.paired import Comparison, Lost, LostBySlice

_METRICS = {
    "auc": 0.80,
    "auc_low": 0.77,
    "auc_high": 0.83,
    "error": 0.02,
    "error_low": 0.01,
    "error_high": 0.03,
    "kilobytes": 90.0,
}
_CALIBRATION = {"calibration_error": 0.03, "calibration_error_low": 0.02, "calibration_error_high": 0.06}


def _reasons(rules: Registered, metrics: dict[str, float] = _METRICS, **shown: object) -> list[str]:
    return shut("churn", rules, Shown(metrics=metrics, **shown))  # type: ignore[arg-type]


def _rules(**gates: Gate) -> Registered:
    return Registered(registered_as="kairos-churn", gates=gates)


def _lost(low: float | None, high: float | None) -> Lost:
    return Lost(loss="log_loss", rows=900, value=0.01, low=low, high=high, level=0.95)


def _beside(lost: Lost, *, auc: float = 0.0, gold: Lost | None = None) -> Comparison:
    return Comparison(
        lost=lost,
        gained=(Metric(name="auc", value=auc, low=auc - 0.01, high=auc + 0.01),),
        slices=(LostBySlice(feature="tier", label="gold", rows=80, lost=gold),),
    )


def test_the_checkouts_rules_name_every_model_of_the_demo():
    rules = read_rules()

    assert rules.alias == "champion"
    assert rules.of("churn").registered_as == "kairos-churn"
    assert rules.of("preference").gates["group_auc"].at_least is not None


def test_the_rules_of_a_workspace_win_over_those_of_the_checkout(tmp_path):
    brand = workspace(tmp_path)

    assert rules_of(brand) == read_rules()

    (tmp_path / "registry.yaml").write_text(RULES)
    assert rules_of(brand).of("churn").registered_as == "test-churn"


def test_a_model_inside_its_bounds_passes():
    rules = _rules(auc=Gate(at_least=0.75), error=Gate(at_most=0.05), kilobytes=Gate(at_most=100))

    assert _reasons(rules) == []


@pytest.mark.parametrize(
    ("gates", "cause"),
    [
        ({"auc": Gate(at_least=0.78)}, "auc 0.800 [0.770, 0.830] reaches down to 0.770, below its gate 0.78"),
        ({"error": Gate(at_most=0.025)}, "error 0.020 [0.010, 0.030] reaches up to 0.030, above its gate 0.025"),
        ({"kilobytes": Gate(at_most=80)}, "kilobytes 90.000 reaches up to 90.000, above its gate 80; ask for fewer trees"),
        ({"acu": Gate(at_least=0.5)}, "acu (did you mean 'auc'?) was not measured"),
    ],
    ids=["floor", "bound", "without an interval", "absent"],
)
def test_the_pessimistic_end_shuts_a_gate(gates, cause):
    reasons = _reasons(_rules(**gates))

    assert len(reasons) == 1
    assert cause in reasons[0]
    assert "\n" not in reasons[0]


@pytest.mark.parametrize(
    ("at_most", "by_chance", "passes"),
    [(0.05, None, True), (0.02, None, False), (0.02, 0.025, False), (0.02, 0.031, True), (0.031, 0.01, True)],
)
def test_a_calibration_error_may_be_what_the_gate_allows_or_what_chance_explains(at_most, by_chance, passes):
    chance = {} if by_chance is None else {"calibration_error_by_chance": by_chance}

    reasons = _reasons(_rules(calibration_error=Gate(at_most=at_most)), {**_CALIBRATION, **chance})

    assert (reasons == []) == passes


@pytest.mark.parametrize(
    ("low", "high", "may_lose", "passes"),
    [
        (-0.05, -0.01, 0.0, True),
        (0.0, 0.0, 0.0, True),  # the same model
        (-0.02, 0.02, 0.0, False),  # too small a test to tell
        (-0.02, 0.02, 0.03, True),
        (0.01, 0.04, 0.03, False),
        (-0.05, None, 0.03, False),
    ],
)
def test_a_challenger_passes_only_where_the_whole_interval_says_that_it_is_not_worse(low, high, may_lose, passes):
    rules = Registered(registered_as="r", may_lose=may_lose)

    reasons = _reasons(rules, comparison=_beside(_lost(low, high)))

    assert (reasons == []) == passes
    assert all("keep the champion" in reason for reason in reasons)


def test_a_metric_that_is_shown_to_be_worse_than_the_champions_refuses():
    rules = Registered(registered_as="r", not_below_champion=("auc",))
    good = _lost(-0.2, -0.1)

    assert "auc is -0.020 [-0.030, -0.010] beside the champion's" in _reasons(rules, comparison=_beside(good, auc=-0.02))[0]
    assert _reasons(rules, comparison=_beside(good, auc=-0.005)) == []


def test_a_group_that_is_shown_to_lose_more_than_its_tolerance_refuses():
    rules = Registered(registered_as="r", slices={"any": 0.05})
    good = _lost(-0.2, -0.1)

    assert "for tier = gold (80 rows)" in _reasons(rules, comparison=_beside(good, gold=_lost(0.06, 0.3)))[0]
    assert _reasons(rules, comparison=_beside(good, gold=_lost(0.04, 0.3))) == []
    assert _reasons(Registered(registered_as="r", slices={"tier": 0.5}), features=("tier",), comparison=_beside(
        good, gold=_lost(0.06, 0.3))) == []  # fmt: skip


@pytest.mark.parametrize(
    ("measure", "low", "high", "refused"),
    [
        ("calibration", 0.06, 0.1, True),
        ("calibration", -0.1, -0.06, True),
        ("calibration", 0.04, 0.1, False),
        ("auc", -0.2, -0.06, True),
        ("auc", 0.06, 0.2, False),  # better ranked than others is no harm
        ("selection", 0.5, 0.6, False),  # measured, and without a bound
    ],
)
def test_unfairness_refuses_where_the_interval_lies_beyond_the_bound(measure, low, high, refused):
    rules = Registered(registered_as="r", fairness={"any": Fairness(calibration=0.05, auc=0.05)})
    one = Apart(feature="tier", label="gold", measure=measure, rows=80, value=(low + high) / 2, low=low, high=high)

    reasons = _reasons(rules, features=("tier",), apart=(one,))

    assert bool(reasons) == refused
    assert all(f"churn: {measure} for tier = gold (80 rows)" in reason for reason in reasons)


def test_groups_that_were_never_measured_are_named_with_the_nearest_that_were():
    rules = Registered(registered_as="r", slices={"age": 0.1})

    assert "the groups of 'age' (did you mean 'ages'?) were not measured" in _reasons(rules, features=("ages",))[0]


def test_a_model_without_rules_is_refused_with_a_cure():
    with pytest.raises(TrainingError, match=r"registry\.yaml does not say how 'chrun' \(did you mean 'churn'\?\)"):
        read_rules().of("chrun")


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        ("gates: {auc: {at_least: 1, at_most: 2}}", "at_least or at_most"),
        ("not_below_champion: [acu]", r"'acu' \(did you mean 'auc'\?\) is not compared"),
        ("may_lose: -0.1", "may_lose is a share"),
        ("slices: {any: -1}", "slices: any is a share"),
        ("fairness: {any: {calibration: -1}}", "calibration is a distance"),
        ("gate: {}", "did you mean 'gates'"),
    ],
)
def test_rules_are_read_strictly(tmp_path, model, cause):
    file = tmp_path / "registry.yaml"
    file.write_text(f"experiment: e\nalias: a\nmodels: {{churn: {{registered_as: r, {model}}}}}")

    with pytest.raises(WorkspaceError, match=cause):
        read_rules(file)


def test_missing_rules_are_one_clear_line(tmp_path):
    with pytest.raises(TrainingError, match="the file is missing"):
        read_rules(tmp_path / "registry.yaml")
