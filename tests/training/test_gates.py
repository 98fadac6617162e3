import pytest

from features.yaml_nodes import WorkspaceError
from training.errors import TrainingError
from training.gates import Gate, Registered, read_rules, shut

_METRICS = {"auc": 0.80, "auc_low": 0.77, "auc_high": 0.83, "error": 0.02, "error_low": 0.01, "error_high": 0.03}


def _rules(**gates: Gate) -> Registered:
    return Registered(registered_as="kairos-churn", gates=gates, not_below_champion=("auc",))


def test_the_checkouts_rules_name_every_model_of_the_demo():
    rules = read_rules()

    assert rules.alias == "champion"
    assert rules.of("churn").registered_as == "kairos-churn"
    assert rules.of("preference").gates["group_auc"].at_least is not None


def test_a_model_inside_its_bounds_passes():
    rules = _rules(auc=Gate(at_least=0.75), error=Gate(at_most=0.05))

    assert shut("churn", rules, _METRICS) == []


@pytest.mark.parametrize(
    ("gates", "cause"),
    [
        ({"auc": Gate(at_least=0.78)}, "auc 0.800 [0.770, 0.830] reaches down to 0.770, below its gate 0.78"),
        ({"error": Gate(at_most=0.025)}, "error 0.020 [0.010, 0.030] reaches up to 0.030, above its gate 0.025"),
        ({"group_auc": Gate(at_least=0.5)}, "group_auc was not measured"),
    ],
    ids=["floor", "bound", "absent"],
)
def test_the_pessimistic_end_shuts_a_gate(gates, cause):
    reasons = shut("churn", _rules(**gates), _METRICS)

    assert len(reasons) == 1
    assert cause in reasons[0]


def test_a_model_clearly_worse_than_the_champion_is_refused():
    assert "worse than the champion's 0.840" in shut("churn", _rules(), _METRICS, {"auc": 0.84})[0]


def test_a_model_not_clearly_worse_than_the_champion_passes():
    assert shut("churn", _rules(), _METRICS, {"auc": 0.82}) == []


def test_a_model_without_rules_is_refused_with_a_cure():
    with pytest.raises(TrainingError, match=r"registry\.yaml does not say how 'weather' is registered"):
        read_rules().of("weather")


def test_rules_are_read_strictly(tmp_path):
    file = tmp_path / "registry.yaml"
    file.write_text("experiment: e\nalias: a\nmodels: {churn: {registered_as: r, gates: {auc: {at_least: 1, at_most: 2}}}}")

    with pytest.raises(WorkspaceError, match="at_least or at_most"):
        read_rules(file)


def test_missing_rules_are_one_clear_line(tmp_path):
    with pytest.raises(TrainingError, match="the file is missing"):
        read_rules(tmp_path / "registry.yaml")
