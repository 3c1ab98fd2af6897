"""Microseconds to decide and to learn: our bandits against MABWiser's, 12 tasks.

    pip install mabwiser
    python benchmarks/agents.py [--rounds 7] [--replicas 1,32] [--clock cpu] [--json FILE]

A unit is one decision of N replicas and the update with its N gains: ours is `agent.predict` and `agent.observe` of the
whole agent (pooled memory, gains detrended and scaled, executed propensities known, old gains forgotten); MABWiser's is
N times `MAB.predict` and one `MAB.partial_fit`, no gain scaled, nothing forgotten. The pairs are of a kind, not the
same rule: EXP3.S and softmax (MABWiser has no EXP3), sliding-window UCB and UCB1, discounted Gaussian Thompson with
integrated propensities and Beta-Bernoulli Thompson (0/1 rewards). Both get the same gains. The last line of a table is
our rule with its gain scaling on 400 independent runs at once, as the regret benchmarks play it, per run.
"""

import importlib.util
from typing import Any

import timing  # before torch: asks for one thread
from timing import Report, Side, each

ARMS = 12
RUNS = 400
GOAL = 20.0
PAIRS = {"exp3s": ("Softmax", {"tau": 1}), "sw-ucb": ("UCB1", {"alpha": 1}), "d-ts": ("ThompsonSampling", {})}


def ours(name: str, replicas: int) -> Any:
    """One decision and update of one of our agents."""
    import gymnasium as gym
    import numpy as np
    from gymnasium import spaces
    from stable_baselines3.common.vec_env import DummyVecEnv

    from curriculum_rl.agents import make

    class Spaces(gym.Env[Any, Any]):
        observation_space = spaces.Box(-1, 1, (4,))
        action_space = spaces.Discrete(ARMS)

    agent = make(name, DummyVecEnv([Spaces] * replicas), seed=0)
    gains = np.random.default_rng(0).random((1009, replicas))
    observation, dones = np.zeros((replicas, 4), np.float32), np.zeros(replicas, bool)
    time = 0

    def work() -> None:
        nonlocal time
        actions, _ = agent.predict(observation)
        time += 1
        paid = gains[time % len(gains)]
        agent.observe(actions, paid, dones, [{} for _ in range(replicas)])

    return work


def many_runs(name: str) -> Any:
    """`run` for decisions of one of `RUNS` runs of one of our rules, all runs in the same arrays."""
    import numpy as np

    from curriculum_rl.agents import make
    from curriculum_rl.agents.rule import draw
    from curriculum_rl.agents.shell.scaling import GainScaling

    agent: Any = make(name, None)
    rule, scaling, random = agent.rule, GainScaling(), np.random.default_rng(0)
    state, averages = rule.start(RUNS, ARMS), scaling.start(RUNS)

    def run(calls: int) -> None:
        for _ in range(max(1, calls // RUNS)):
            probabilities = rule.probabilities(state)
            arms = draw(probabilities, random.random(RUNS))
            rule.update(state, arms, scaling.scale(averages, random.random(RUNS)), probabilities)

    return run


def theirs(name: str, options: dict[str, Any], replicas: int) -> Any:
    """One decision and update of one of MABWiser's policies."""
    import numpy as np

    library: Any = importlib.import_module("mabwiser.mab")
    agent = library.MAB(list(range(ARMS)), getattr(library.LearningPolicy, name)(**options), seed=0)
    agent.fit(decisions=list(range(ARMS)), rewards=[0, 1] * (ARMS // 2))
    gains = np.random.default_rng(0).random((1009, replicas))
    if name == "ThompsonSampling":
        gains = (gains > 0.5).astype(np.int64)
    rewards = gains.tolist()
    time = 0

    def work() -> None:
        nonlocal time
        actions = [agent.predict() for _ in range(replicas)]
        time += 1
        agent.partial_fit(actions, rewards[time % len(rewards)])

    return work


def main() -> None:
    """Compare each pair."""
    parser = timing.parser(__doc__)
    parser.add_argument("--replicas", default="1,32", help="N, the replicas that decide at once, a list")
    arguments = parser.parse_args()
    if importlib.util.find_spec("mabwiser") is None:
        parser.error("this compares with MABWiser, which is not installed: pip install mabwiser")
    report = Report(arguments)
    for replicas in map(int, arguments.replicas.split(",")):
        for name, (policy, options) in PAIRS.items():
            other = each(theirs(policy, options, replicas))
            sides = [
                Side(name, each(ours(name, replicas)), calls=800),
                Side(f"MABWiser {policy}", other, calls=200 // replicas + 20, goal=GOAL),
            ]
            if replicas == 1:
                sides.append(Side(f"{name}, one of {RUNS} runs at once", many_runs(name), calls=100 * RUNS))
            report.compare(f"{name}: {ARMS} tasks, N = {replicas}", sides)
    report.finish()


if __name__ == "__main__":
    main()
