"""The factor from counting to training is that of the figures that are kept; audits are kept and scored."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.priors.calibration import ERRORS, FACTOR, FAMILIES

Import = Callable[[str], ModuleType]


@pytest.fixture
def gains(benchmark: Import) -> ModuleType:
    return benchmark("gains")


@pytest.fixture
def audits(benchmark: Import) -> ModuleType:
    return benchmark("audits")


def test_the_factor_is_that_of_the_kept_figures(gains: ModuleType, benchmark: Import) -> None:
    figures = json.loads(gains.KEPT.read_text(encoding="utf-8"))
    fit = gains.fit(figures)
    assert fit.factor == pytest.approx(FACTOR, abs=0.005)
    assert fit.error == pytest.approx(ERRORS["em"], abs=0.005)
    assert gains.worst(figures) == pytest.approx(ERRORS["js"], abs=0.005)
    assert len(figures) == FAMILIES and figures.keys() == benchmark("order").FAMILIES.keys()
    assert all(len(one["measured"]) == gains.SEEDS for found in figures.values() for one in found.values())
    lines = gains.table(figures).splitlines()
    assert len(lines) == FAMILIES + 4 and lines[-1].startswith(f"Factor {FACTOR:.2f}, ")
    page = gains.PAGE.read_text(encoding="utf-8")
    assert gains.written(page, figures) == page, "run python benchmarks/gains.py"


def test_gains_are_over_stratified_of_the_same_seed(gains: ModuleType) -> None:
    rows = [
        {"family": "a", "rate": "wsd", "seed": seed, "schedule": name, "loss": loss}
        for seed, name, loss in ((1, "stratified", 5.0), (1, "em-1", 4.5), (2, "stratified", 6.0), (2, "em-1", 5.9))
    ]
    more = [{**rows[1], "seed": 3}, {**rows[1], "rate": "constant", "loss": 1.0}, {**rows[1], "family": "b"}]
    assert gains.measured([*rows, *more], "a", "em-1") == pytest.approx([0.5, 0.1])
    figures = {
        name: {prior: {"counted": count, "error": 0.0, "measured": [0.2, 0.4]} for prior in gains.PRIORS}
        for name, count in (("a", 0.1), ("b", 0.3))
    }
    fit = gains.fit(figures)
    assert fit.factor == pytest.approx(np.sqrt(3 * 1)) and fit.error == pytest.approx(3.0)


def test_an_audit_is_kept_of_every_report_family(audits: ModuleType, benchmark: Import) -> None:
    kept = json.loads(audits.KEPT.read_text(encoding="utf-8"))
    names = benchmark("partition").read().families["report"]
    assert list(kept) == [Path(name).stem for name in names]
    for found in kept.values():
        assert found["cost"]["share_of_budget"] <= 0.2
        for name, one in found["priors"].items():
            gain = one["predicted_gain"]
            assert sum(one["shares"].values()) == pytest.approx(1)
            assert gain["nats"] == pytest.approx(FACTOR * gain["counted"]) and gain["factor_error"] == ERRORS[name]
            assert gain["low"] <= gain["nats"] <= gain["high"]
    assert audits.table(kept).count("\n") == 2 * len(kept)


def test_a_comparison_is_scored_against_what_was_predicted(audits: ModuleType, tmp_path: Path) -> None:
    gain = {"nats": 0.1, "low": 0.05, "high": 0.2, "can_help": True}
    kept: dict[str, Any] = {"tiny": {"data": {"a": "1"}, "priors": {"em": {"predicted_gain": gain}}}}
    losses = {"stratified": 5.0, "auto": 4.875, "d-ts": 5.25}
    agents = {name: {"figures": {"target_loss": {"mean": loss}}} for name, loss in losses.items()}
    (tmp_path / "compare.json").write_text(json.dumps({"env": "tiny", "agents": agents}))
    (tmp_path / "data.json").write_text('{"a": "1"}')
    said = audits.score(kept, tmp_path, "auto", "em")
    assert said == "tiny: em predicted +0.100 (from +0.050 to +0.200, can help), auto gained +0.125: inside"
    assert audits.score(kept, tmp_path, "d-ts", "em").endswith("d-ts gained -0.250: outside")
    with pytest.raises(ConfigError, match=r"^agent: must be one of stratified, auto, d-ts \(got 'odm'\)$"):
        audits.score(kept, tmp_path, "odm", "em")
    (tmp_path / "data.json").write_text('{"a": "2"}')
    with pytest.raises(ConfigError, match="a: its text has changed"):
        audits.score(kept, tmp_path, "auto", "em")
