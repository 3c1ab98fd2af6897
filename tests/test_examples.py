"""The scripts of `examples/` do what their first line says."""

import json
import re
from pathlib import Path

import comparison_in_pandas
import own_agent
import own_corpora
import policy_in_tensorboard
import ppo_with_callbacks
import pytest
from stable_baselines3 import PPO
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from curriculum_rl.envs.pretraining import PretrainingEnv

SCRIPTS = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_short_and_says_how_long_it_takes(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert 20 <= len(text.splitlines()) <= 60
    assert re.search(r"Takes \d+ s of one CPU\.", text.split('"""')[1])
    assert f"test_{script.stem}" in globals()


def test_own_corpora(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own_corpora.main(tmp_path)
    loss, *shares = re.findall(r": ([\d.]+)", capfd.readouterr().out)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert float(loss) == pytest.approx(result["final"]["target_loss"], abs=0.01)
    assert len(shares) == 3
    assert result["share"]["weather.causal_lm"] > 0.9
    assert result["final"]["target_loss"] < result["baselines"]["unigram"]


def test_own_agent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_agent.main(tmp_path)
    printed = re.findall(r"^(\w+)\.causal_lm .* ([\d.]+)$", capsys.readouterr().out, flags=re.MULTILINE)
    chances = {topic: float(chance) for topic, chance in printed}
    assert chances.keys() == own_corpora.TOPICS.keys()
    assert max(chances, key=chances.__getitem__) == "weather"


def test_ppo_with_callbacks(tmp_path: Path) -> None:
    finals = ppo_with_callbacks.main(tmp_path, timesteps=960)
    assert len(finals.losses) == len(finals.shares) >= 64
    assert sum(finals.losses[-8:]) < sum(finals.losses[:8])
    env = PretrainingEnv(tmp_path / "environment.yaml")
    best = PPO.load(tmp_path / "best" / "best_model.zip")
    assert env.action_space.contains(best.predict(env.reset(seed=0)[0])[0])


def test_policy_in_tensorboard(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    policy_in_tensorboard.main(tmp_path)
    (folder,) = re.findall(r"^tensorboard --logdir (.+)$", capfd.readouterr().out, flags=re.MULTILINE)
    runs = [folder, *Path(folder).glob("task=*")]
    tags = [EventAccumulator(str(run)).Reload().Tags() for run in runs]
    for tag, what in policy_in_tensorboard.LOOK.items():
        kind = what.partition(":")[0]
        assert sum(tag in found[kind] for found in tags) == (3 if tag.startswith("task/") else 1), tag


def test_comparison_in_pandas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comparison_in_pandas.main(tmp_path)
    (difference,) = re.findall(r"^auto +(-?[\d.]+)$", capsys.readouterr().out, flags=re.MULTILINE)
    compared = json.loads((tmp_path / "compare" / "compare.json").read_text())
    known = compared["agents"]["auto"]["figures"]["target_loss"]["against"]["stratified"]["difference"]["mean"]
    assert float(difference) == pytest.approx(known, abs=0.001)
    rows = comparison_in_pandas.segments(tmp_path / "compare")
    assert rows.groupby(["agent", "seed"]).ngroups == 6
