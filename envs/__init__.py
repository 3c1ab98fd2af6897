"""Pretraining as Gymnasium environments; importing this registers their ids.

`gymnasium.make("curriculum_rl.envs:CurriculumRL/Pretraining-v0", config="almanac")`
"""

import gymnasium

if __name__ == "envs":
    raise ImportError("import curriculum_rl.envs, not envs: one class must have one name")

gymnasium.register(
    id="CurriculumRL/Pretraining-v0",
    entry_point="curriculum_rl.envs.pretraining:PretrainingEnv",
    disable_env_checker=True,
)
