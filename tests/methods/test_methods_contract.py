"""Every method keeps the contract."""

from typing import Any

import pytest

from curriculum_rl.testing.methods import MethodContract
from curriculum_rl.testing.problems import MASKED

META = {"kind": "meta_train", "rate": 0.1}
ENDS = [
    {"corpora": ["star"], "objective": {"kind": "classification", "causal": False}},
    {"corpora": ["star", "noise"], "objective": "masked_lm"},
]
LIGHT = {**MASKED["learner"], "light": {"kind": "adapter", "size": 4}}
METHODS: dict[str, dict[str, Any]] = {
    "multitask": {"method": {"kind": "multitask"}},
    "meta_train": {"method": {**META, "depth": 1}},
    "meta_train of order 2": {"method": {**META, "depth": 2, "order": 2, "same_task": True}},
    "tartan": {"method": {"kind": "tartan"}, "tasks": ENDS},
}


class TestMethods(MethodContract):
    @pytest.fixture(params=list(METHODS.values()), ids=list(METHODS))
    def method(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        return dict(request.param)


class TestPriming(MethodContract):
    # Its softmax is over the labels alone.
    test_its_price_covers_what_is_read = None  # type: ignore[assignment]

    @pytest.fixture
    def method(self) -> dict[str, Any]:
        return {"method": {"kind": "priming", "steps": 1, "rate": 0.1}, "tasks": ENDS[:1], "learner": LIGHT}
