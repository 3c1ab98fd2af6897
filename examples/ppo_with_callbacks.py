"""PPO with callbacks: stable-baselines3's own, over 8 learners that train in one batched step. Takes 13 s of one CPU.

Any algorithm and any callback of stable-baselines3 fits: `make_sb3_vec_env` gives it the VecEnv that it wants.
"""

import tempfile
from pathlib import Path

from own_corpora import write_environment
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, EvalCallback
from stable_baselines3.common.vec_env import VecMonitor

from curriculum_rl.envs.stable_baselines import make_sb3_vec_env


class FinalLosses(BaseCallback):
    """Keeps what every pretraining run ends with; an episode is one run.

    Attributes:
        losses: on the target's report split, nats a token, in the order in which runs ended.
        shares: (K,) of each run: the part of its rows that each task had.
    """

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []
        self.shares: list[list[float]] = []

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "final" in info:
                self.losses.append(info["final"]["target_loss"])
                self.shares.append(info["share"].tolist())
        return True


def main(out: Path, timesteps: int = 1280) -> FinalLosses:
    """Train a policy over runs of 20 segments, keep the best, and print how the ends of runs changed."""
    environment = write_environment(out)
    overrides = {"budget.updates": 40, "segment.updates": 2, "batch": 4}
    train = VecMonitor(make_sb3_vec_env(environment, num_envs=8, seed=0, overrides=overrides))
    # An evaluation trains learners of its own.
    other = VecMonitor(make_sb3_vec_env(environment, num_envs=4, seed=1000, overrides=overrides))
    finals = FinalLosses()
    best = EvalCallback(other, n_eval_episodes=4, eval_freq=60, best_model_save_path=str(out / "best"), verbose=0)
    agent = PPO("MlpPolicy", train, n_steps=20, batch_size=40, learning_rate=3e-3, gamma=0.9, seed=0)
    agent.learn(timesteps, callback=[finals, best])
    first, last = finals.losses[:8], finals.losses[-8:]
    print(f"target loss: first 8 runs {sum(first) / 8:.3f}, last 8 of {len(finals.losses)} runs {sum(last) / 8:.3f}")
    for task, share in zip(train.get_attr("tasks")[0], zip(*finals.shares[-8:], strict=True), strict=True):
        print(f"share of {task} in the last 8 runs: {sum(share) / 8:.0%}")
    print(f"PPO.load reads the policy that did best in evaluations: {out / 'best' / 'best_model.zip'}")
    return finals


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp()))
