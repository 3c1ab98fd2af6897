"""`curriculum-rl audit` as a person uses it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from curriculum_rl.experiment import Experiment
from curriculum_rl.scripts.main import main
from curriculum_rl.signals import SIGNALS


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["curriculum-rl", "audit", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_what_is_printed_and_what_is_written(
    run: Any, tiny: dict[str, Any], tmp_path: Path, experiment: Experiment
) -> None:
    (tmp_path / "env.yaml").write_text(yaml.safe_dump(tiny))
    out = tmp_path / "made" / "audit.json"
    status, printed, err = run(
        "--env",
        str(tmp_path / "env.yaml"),
        "--out",
        str(out),
        "--set",
        "budget.updates=2000",
        "--set",
        "signals.rows=60",
    )
    assert status == 0, err
    content = json.loads(out.read_text())
    assert (content["env"], content["data"]) == ("tiny", experiment.data)
    gain = content["priors"]["em"]["predicted_gain"]
    assert gain["low"] < gain["nats"] < gain["high"] and content["scheduling_can_help"] is gain["can_help"]
    assert sum(content["priors"]["js"]["shares"].values()) == pytest.approx(1)
    assert content["signals"].keys() == SIGNALS.keys()
    assert content["signals"]["transfer"]["share_of_budget"] is None and content["signals"]["transfer"]["reason"]
    assert 0 < content["cost"]["share_of_budget"] < 0.2
    duel = content["signals"]["duel"]
    assert duel["must_bring"] == pytest.approx(0.4 * duel["share_of_budget"])
    for said in (
        f"{gain['nats']:+.3f}",
        "passes over each text in 2,000 updates",
        f"{duel['share_of_budget']:.1%}",
        "transfer: signals.rows",
        "tasks under masked_lm count as if they were under causal_lm",
        f"standard deviation of a reading {content['proxy']['noise']:.4f}",
        "this audit cost at most",
        f"em: predicted gain {gain['nats']:+.3f} nats per token over even",
    ):
        assert said in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "nowhere.yaml"], "env: 'nowhere.yaml' is neither a file nor one of"),
        (["--out", "."], "out: '.' is a folder, not a file"),
        (["--set", "colour=red"], "colour: unknown key"),
    ],
)
def test_a_mistake_is_one_line(run: Any, arguments: list[str], message: str) -> None:
    status, printed, err = run(*arguments)
    assert status == 2 and message in err
    assert err.count("\n") == 1 and not printed
