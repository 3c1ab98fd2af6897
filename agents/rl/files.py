"""Agents with a network as files; whether one can play an env, and under which spaces it must be rebuilt."""

from typing import Any

from stable_baselines3.common.utils import check_for_correct_spaces

from curriculum_rl.agents.rl import members, networks, parameters
from curriculum_rl.agents.rl.sets import is_two_part, sizes
from curriculum_rl.agents.saving import archive
from curriculum_rl.agents.shell import spaces
from curriculum_rl.errors import ConfigError


def check_members(agent: Any) -> None:
    """See at once that an agent can be saved, not when its training has ended.

    Raises:
        ConfigError: naming a member that no file can hold.
    """
    try:
        members.describe(vars(agent), agent._excluded_save_params())
    except TypeError as error:
        raise ConfigError(
            f"agent: {agent.algorithm} cannot be saved: {error}; a member that can be made anew is left out where "
            "`_excluded_save_params` names it"
        ) from None


def save(agent: Any, path: Any) -> None:
    """Write spaces, options, counters, networks and optimizers as one file; a replay buffer is left out.

    Raises:
        ConfigError: naming a member that no file can hold.
    """
    check_members(agent)
    archive.write(path, agent.algorithm, describe(agent))


def describe(agent: Any) -> dict[str, Any]:
    """What a file holds of an agent, as values and arrays."""
    return {
        "policy": networks.name_of(agent.policy_class, agent.policy_aliases),
        "observation_space": spaces.describe(agent.observation_space),
        "action_space": spaces.describe(agent.action_space),
        "members": members.describe(vars(agent), agent._excluded_save_params()),
        "parameters": parameters.describe(agent),
    }


def load(cls: type[Any], path: Any, env: Any, device: Any) -> Any:
    """The agent of this class that `save` wrote; with an env it can go on learning there.

    Raises:
        ConfigError: where the file is no such agent, or cannot play the env.
    """
    saved = archive.read(path)
    archive.check_agent(saved, cls.__name__)
    with archive.reading(saved.path):
        policy = cls.policy_aliases[saved.content["policy"]]
        found = {name: spaces.from_description(saved.content[name]) for name in ("observation_space", "action_space")}
        spaces.arms(found["action_space"])
    if env is not None:
        env = cls._wrap_env(env, 0)
        found = _spaces_for(policy, found, env)
    with archive.reading(saved.path):
        return rebuild(cls(policy, env, device=device, _init_setup_model=False), saved.content, found)


def rebuild(agent: Any, content: dict[str, Any], found: dict[str, Any]) -> Any:
    """Put into an agent that is not set up what `describe` described, under these spaces.

    Raises:
        ValueError: where it is not what such an agent has.
    """
    values = members.from_description(agent, content["members"])
    if agent.env is not None:
        values["n_envs"] = agent.env.num_envs
    vars(agent).update(values | found)
    with parameters.bounded(content["parameters"]):
        agent._setup_model()
    parameters.restore(agent, content["parameters"])
    return agent


def _spaces_for(policy: Any, saved: dict[str, Any], env: Any) -> dict[str, Any]:
    """The spaces to rebuild an agent under: the saved ones, or those of an env with another number of tasks.

    Raises:
        ConfigError: where the policy cannot play the env.
    """
    if saved["action_space"] == env.action_space and saved["observation_space"] == env.observation_space:
        return saved
    if spaces.is_mixture(saved["action_space"]) != spaces.is_mixture(env.action_space):
        raise ConfigError(f"env: its actions are {env.action_space}; the agent was trained on {saved['action_space']}")
    if getattr(policy, "any_number_of_tasks", False):
        _check_features(saved, env)
        return {"action_space": env.action_space, "observation_space": env.observation_space}
    before, now = spaces.arms(saved["action_space"]), spaces.arms(env.action_space)
    if before != now:
        raise ConfigError(
            f"env: {now} tasks, but the agent was trained with {before}; only an EquivariantPolicy (observation: dict) "
            "plays another number"
        )
    try:
        check_for_correct_spaces(env, saved["observation_space"], saved["action_space"])
    except ValueError as error:
        raise ConfigError(f"env: not the spaces the agent was trained with: {error}") from error
    return saved


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
