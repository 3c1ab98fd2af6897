"""Whether a saved agent with a network can play an env, and under which spaces it must be rebuilt."""

from typing import Any

from stable_baselines3.common.save_util import load_from_zip_file

from curriculum_rl.agents.rl.sets import is_two_part, sizes
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError


def spaces_for(path: Any, env: Any, algorithm: str) -> dict[str, Any]:
    """The spaces that replace the saved ones: none, or those of an env with another number of tasks.

    Args:
        path: the file.
        env: where the agent is to go on, or None.
        algorithm: the name of the class that loads it.

    Raises:
        ConfigError: where the file is of another class, or the policy cannot play the env.
        ValueError: where the file is no agent that stable-baselines3 saved.
    """
    saved, _, _ = load_from_zip_file(path, device="cpu")
    if not isinstance(saved, dict) or "action_space" not in saved or "observation_space" not in saved:
        raise ValueError("it holds no spaces")
    if saved.get("algorithm", algorithm) != algorithm:
        raise ConfigError(f"path: {path} holds agent {saved['algorithm']!r}, not {algorithm!r}")
    if env is None or _same(saved, env):
        return {}
    if spaces.is_mixture(saved["action_space"]) != spaces.is_mixture(env.action_space):
        raise ConfigError(f"env: its actions are {env.action_space}; the agent was trained on {saved['action_space']}")
    if getattr(saved["policy_class"], "any_number_of_tasks", False):
        _check_features(saved, env)
        return {"action_space": env.action_space, "observation_space": env.observation_space}
    before, now = spaces.arms(saved["action_space"]), spaces.arms(env.action_space)
    if before != now:
        raise ConfigError(
            f"env: {now} tasks, but the agent was trained with {before}; only an EquivariantPolicy (observation: dict) "
            "plays another number"
        )
    return {}


def _same(saved: dict[str, Any], env: Any) -> bool:
    return bool(saved["action_space"] == env.action_space and saved["observation_space"] == env.observation_space)


def _check_features(saved: dict[str, Any], env: Any) -> None:
    arms = spaces.arms(env.action_space)
    if not is_two_part(env.observation_space, arms):
        raise ConfigError(
            f"observation: the agent reads 'dict' observations of {arms} tasks, not {env.observation_space}"
        )
    before = sizes(saved["observation_space"], spaces.arms(saved["action_space"]))
    now = sizes(env.observation_space, arms)
    if before != now:
        raise ConfigError(
            f"env: {now[0]} features of a task and {now[1]} of the run, but the agent was trained with {before[0]} and "
            f"{before[1]}"
        )
