"""Pretraining as Gymnasium environments; importing this registers their ids.

`gymnasium.make("curriculum_rl.envs:CurriculumRL/Pretraining-v0", config="almanac")`, and `gymnasium.make_vec` for N
learners in one batched step.
"""

import gymnasium

if __name__ == "envs":
    raise ImportError("import curriculum_rl.envs, not envs: one class must have one name")

gymnasium.register(
    id="CurriculumRL/Pretraining-v0",
    entry_point="curriculum_rl.envs.pretraining:PretrainingEnv",
    vector_entry_point="curriculum_rl.envs.vector:PretrainingVectorEnv",
    disable_env_checker=True,
)
gymnasium.register(
    id="CurriculumRL/Surrogate-v1",
    entry_point="curriculum_rl.envs.closed_form.surrogate:SurrogateEnv",
    disable_env_checker=True,
)
gymnasium.register(
    id="CurriculumRL/Planted-v0",
    entry_point="curriculum_rl.envs.closed_form.planted:PlantedEnv",
    disable_env_checker=True,
)
