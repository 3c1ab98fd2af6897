"""The runs of `golden.py`, their small made texts, and the player that steps environments without the command line.

To add a run, add a line to `RUNS`: what is typed, and what its environment says otherwise than `BASE`.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Play:
    """One episode of an environment made by its id: an agent's picks, or random ones.

    Attributes:
        id: of the environment, with its version.
        arguments: of `gymnasium.make`; `{env}` and `{texts}` in them are filled in.
        signals: asked for with `request_signals`.
        agent: who learns for `learn` steps and then picks; None: random picks.
        learn: steps.
        options: of the agent.
        vector: sub-environments of `gymnasium.make_vec`; 0: one plain environment.
    """

    id: str
    arguments: Mapping[str, Any]
    signals: tuple[str, ...] = ()
    agent: str | None = None
    learn: int = 60
    options: Mapping[str, Any] = field(default_factory=dict)
    vector: int = 0

    def perform(self, places: Mapping[str, str]) -> None:
        """Learn and play, and write what was seen of each step to `<agent>.jsonl`."""
        import gymnasium

        given = self.arguments.items()
        made: dict[str, Any] = {key: v.format(**places) if isinstance(v, str) else v for key, v in given}
        name = f"curriculum_rl.envs:CurriculumRL/{self.id}"
        env: Any = gymnasium.make_vec(name, self.vector, **made) if self.vector else gymnasium.make(name, **made)
        if self.signals:
            env.unwrapped.request_signals(self.signals)
        rows: list[dict[str, Any]] = []
        agent = self._trained(self.agent, env, rows) if self.agent else None
        seen = env.reset(seed=3)
        rows.append({"reset": seen})
        env.action_space.seed(3)
        ended = False
        while not ended:
            seen = env.step(agent.predict(seen[0])[0] if agent else env.action_space.sample())
            rows.append({"seen": seen})
            ended = bool(seen[2].all()) if self.vector else seen[2]
        lines = [json.dumps(row, default=lambda value: value.tolist()) for row in rows]
        file = Path(places["out"], f"{self.agent or 'random'}.jsonl")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _trained(self, name: str, env: Any, rows: list[dict[str, Any]]) -> Any:
        from stable_baselines3.common.callbacks import BaseCallback

        from curriculum_rl import agents

        class Keep(BaseCallback):
            def _on_step(self) -> bool:
                rows.append({key: self.locals[key] for key in ("actions", "probabilities", "rewards")})
                return True

        env.reset(seed=2)
        agent = agents.make(name, env, seed=0, **self.options)
        agent.learn(total_timesteps=self.learn, callback=Keep())
        return agent


@dataclass(frozen=True)
class Run:
    """What is typed, one command after the other, and the environment it is typed for.

    Attributes:
        commands: of the command line, or `Play`s; `{env}`, `{out}` and `{texts}` in them are filled in.
        env: top-level keys that replace those of `BASE`.
    """

    commands: tuple[str | Play, ...]
    env: Mapping[str, Any] = field(default_factory=dict)


def train(typed: str, *after: str, **env: Any) -> Run:
    """A training and commands after it; `typed` is the agent's name, `--options`, and `key=value` pairs to set."""
    words = [word if word.startswith("--") or "=" not in word else f"--set {word}" for word in typed.split()]
    return Run((f"train --env {{env}} --out {{out}} --quiet --seed 1 --agent {' '.join(words)}", *after), env)


def planted(agents: str, options: Mapping[str, Any] = MappingProxyType({}), **arguments: Any) -> Run:
    """A planted problem, played by each of these agents."""
    made = {"problem": "transfer", "segments": 30, **arguments}
    return Run(tuple(Play("Planted-v0", made, agent=agent, options=options) for agent in agents.split()))


def some(kinds: str, corpora: Any = "all", **settings: Any) -> list[dict[str, Any]]:
    """Tasks of several objectives, by their names."""
    return [{"corpora": corpora, "objective": {"kind": kind, **settings}} for kind in kinds.split()]


SEA, LAND = {"paths": "{texts}/sea.txt"}, {"paths": "{texts}/land.txt"}
STAR = {"paths": "{texts}/star.jsonl", "label_field": "label", "group_field": "id"}
NAMES = {end: {"paths": f"{{texts}}/names-{end}.conll", "format": "conll"} for end in "aeo"}
# fmt: off
HARD = {
    "sea": SEA, "star": {**STAR, "heldout": 0.4}, "noise": {"kind": "noise", "tokens": 4000},
    "shuffled": {"kind": "shuffled", "of": "sea"}, "copy": {"kind": "copy", "of": "sea"},
    "small": {"kind": "small", "of": "sea", "characters": 3000},
}
TUNE = {"examples": 16, "updates": 3, "batch": 4, "test_examples": 16}
BASE: Mapping[str, Any] = MappingProxyType({
    "name": "golden",
    "corpora": {"sea": SEA, "land": LAND, "star": HARD["star"]},
    "tokenizer": {"kind": "bpe", "vocab_size": 400, "labels": 16},
    "tasks": [*some("causal_lm"), *some("masked_lm", ["star"])],
    "learner": {"kind": "transformer", "layers": 1, "width": 32, "heads": 2},
    "context": 24,
    "batch": 6,
    "target": {"corpus": "star"},
    "proxy": {"kind": "heldout_loss", "sequences": 8},
    "report": {"sequences": 16, "task_sequences": 4, "finetune": TUNE},
    "segment": {"updates": 2},
    "budget": {"updates": 30},
})
BERT = {
    "model_type": "bert", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 32,
}
MASKED = {"kind": "transformers", "model": BERT, "head": "masked"}
CAUSAL = {"kind": "transformers", "model": {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2}}
TAGGED: Mapping[str, Any] = MappingProxyType({
    "corpora": {"a": NAMES["a"], "e": NAMES["e"]}, "tasks": some("tagging"), "target": {"corpus": NAMES["o"]},
})
SIGNALS = ("heldout_loss", "products", "adam_products", "variance", "look_ahead", "rollout", "transfer", "duel")
WORN = "agent.prior=0.1 agent.prune=0.2 agent.minimum_share=0.02 agent.maximum_epochs=0.5 agent.guard=0.9"
ENV = MappingProxyType({"config": "{env}"})

RUNS: Mapping[str, Run] = MappingProxyType({
    # What is trained on.
    "objectives-text": train("stratified", tasks=some(
        "causal_lm prefix_lm span_corruption masked_lm whole_word_masking span_masking", ["sea"])),
    "objectives-tokens": train("random", tasks=[
        *some("replaced_token_detection added_token_detection deleted_token_detection", ["land"]),
        *some("capitalisation token_document_relation", ["land"]),
        *some("replaced_token_detection added_token_detection", ["sea"], generator="uniform")]),
    "objectives-pairs": train("stratified", tasks=[
        *some("sentence_order next_sentence sentence_reordering sentence_distance random_label", ["land"]),
        *some("sentence_order", ["star"], causal=True), *some("classification", ["star"], causal=False)]),
    "corpora": train("random action.emphasis=1", corpora=HARD, budget={"tokens": 6000}),
    "target-own": train(
        "stratified-finetune", corpora={"sea": SEA}, tasks=some("causal_lm"), target={"corpus": STAR}),
    "target-trained": train("round-robin target.train=true target.divergence=kl observation=dict"),
    # What learns.
    "native": train(
        "boltzmann learner.layers=2 learner.dropout=0.1 learner.tied=false learner.activation=gelu "
        "optimizer.schedule=cosine optimizer.label_smoothing=0.1 optimizer.accumulate=2 optimizer.clip=0.5"),
    "native-bfloat16": train("random learner.precision=bfloat16 learner.activation=silu"),
    "hf-causal": train(
        "d-ucb learner.dropout=true learner.gradient_checkpointing=true optimizer.accumulate=2",
        tasks=[*some("causal_lm"), *some("classification", ["star"])], learner=CAUSAL),
    "hf-masked": train("alignment --num-envs 2 --shards 1", tasks=some("masked_lm"), learner=MASKED),
    # How.
    "meta-train": train(
        "exp3-ix action.emphasis=1", method={"kind": "meta_train"},
        tasks=[{"corpora": ["sea", "land"], "depth": [0, 1, 2]}]),
    "meta-train-order-2": train("stratified", method={"kind": "meta_train", "depth": 2, "order": 2}),
    "meta-train-one-task": train("odm", method={"kind": "meta_train", "depth": 2, "same_task": True}),
    "priming": train(
        "tscl-online report.finetune.tune=light", **TAGGED,
        learner={**MASKED, "light": {"kind": "adapter", "size": 4}}, method={"kind": "priming", "steps": 2}),
    "priming-order-2": train(
        "random", **TAGGED,
        learner={**MASKED, "light": {"kind": "lora", "rank": 2}}, method={"kind": "priming", "steps": 2, "order": 2}),
    "tartan": train("meta-tartan signals.every=1", method={"kind": "tartan", "dev_head_rows": 8}),
    "tartan-hf": train("meta-tartan signals.every=2", learner=CAUSAL, tasks=some("causal_lm"), method={
        "kind": "tartan", "dev_head_rows": 8, "dev_head_pool": "mean"}),
    # What pays.
    "proxy-finetune": train("sw-ucb", proxy={"kind": "finetune", "every": 4, **TUNE, "first_label": 6}),
    "proxy-finetune-tags": train("d-ts", **TAGGED, proxy={"kind": "finetune", "every": 5, **TUNE}),
    "proxy-probe": train("lin-ucb", proxy={"kind": "probe", "examples": 16}),
    "proxy-head": train("trend-ucb", proxy={"kind": "head", "examples": 16, "test_examples": 16, "steps": 5}),
    "proxy-tasks": train("lin-ts action.kind=mixture", proxy={"kind": "heldout_tasks", "sequences": 4}),
    "reward": train(
        "exp3 --num-envs 2 --shards 1 action.permute=true",
        reward={"baseline": "stratified", "scale": 10.0, "cost": {"sea.causal_lm": 0.5}}),
    # Who chooses, and from which signals.
    "worn-by-bandit": train(f"d-ts {WORN} budget.updates=60", corpora=HARD),
    "worn-by-mixer": train(f"alignment {WORN} budget.updates=100 signals.every=1", corpora=HARD),
    "mixer-pike": train("pike signals.every=1"),
    "mixer-skill-it": train("skill-it signals.every=2"),
    "mixer-rollout": train("rollout signals.every=3", signals={"finish": "rest", "look_ahead": 2}),
    "mixer-ghost": train("alignment agent.signal=ghost signals.every=1"),
    "regmix": train("regmix --num-envs 4 --shards 1 --timesteps 500 agent.runs=24 agent.candidates=500"),
    "regmix-ridge": train(
        "regmix --num-envs 4 --shards 1 --timesteps 180 agent.runs=8 agent.candidates=500 agent.law=ridge"),
    "replicas": train("ucb1 --num-envs 3 --shards 1"),
    "shards": train("exp3s --num-envs 4 --shards 2 agent.pool=false"),
    "ppo": train(
        "ppo --num-envs 4 --shards 1 --timesteps 128 agent.n_steps=16 agent.n_epochs=2",
        "evaluate {out} --episodes 2 --deterministic"),
    "signals": Run((Play("Pretraining-v0", ENV, SIGNALS),), {"budget": {"updates": 200}, "signals": {"rows": 2}}),
    "signal-ghost": Run((Play("Pretraining-v0", ENV, ("ghost",)),), {"action": {"kind": "mixture"}}),
    "vector": Run((Play("Pretraining-v0", ENV, ("duel",), vector=2),), {"action": {"permute": True}}),
    # What comes after a run, and beside one.
    "evaluate": train("exp3s", "evaluate {out} --episodes 2", "rank --env {env} --learner {out} --out {out}"),
    "rank": Run(("rank --env {env} --rows 16 --out {out}",), {"corpora": HARD}),
    "compare": Run((
        "compare --env {env} --out {out} --jobs 1 --agents exp3s:step=0.1,temperature,size-proportional "
        "--seeds 2 --static-mixtures 2 --reach exp3s:step=0.1 --decompose exp3s:step=0.1",),
        {"budget": {"updates": 20}}),
    # Agents and environments without a language model.
    "planted-bandits": planted(
        "exp3s sw-ucb d-ts trend-ucb eps-greedy boltzmann ucb1 d-ucb thompson-beta thompson-gaussian exp3 exp3-ix "
        "exp3s-graves tscl-online tscl-naive tscl-window tscl-sampling autosem mometas", noise=0.01),
    "planted-contextual": planted("lin-ucb lin-ts", observation="dict", permute=True, problem="delayed"),
    "planted-mixers": planted(
        "odm odm-released doremi doge multidds skill-it aioli ado r-and-b greedy hedge hedge-alignment alignment",
        action="mixture", problem="chain"),
    "planted-policies": planted("ppo a2c", {"n_steps": 15}, observation="dict", problem="added"),
    "planted-dqn": planted("dqn", {"learning_starts": 20, "batch_size": 8}, observation="dict", problem="harmful"),
    "planted-mixture-policies": planted(
        "sac td3 ac-odm", {"learning_starts": 20, "batch_size": 8}, observation="dict", action="mixture"),
    "planted-signals": Run((Play("Planted-v0", {"problem": "harmful", "price": 0.5, "segments": 30}, (
        "products", "transfer", "look_ahead", "heldout_loss", "duel")),)),
    "surrogate": Run((Play("Surrogate-v1", {"table": "{texts}/mixtures.csv", "noise": 0.01}, agent="tscl-window"),)),
})
# fmt: on


def environment(run: Run, texts: Path) -> str:
    """The run's environment file, JSON being YAML."""
    return json.dumps({**BASE, **run.env}, indent=1).replace("{texts}", str(texts))


def write_texts(folder: Path) -> None:
    """Write two plain corpora, a labelled and two tagged ones, and a table of mixtures and losses."""
    folder.mkdir(parents=True)
    sea = _documents("wave salt harbour sail tide gull anchor reef storm deck rope", 300, 0)
    land = _documents("hill barn wheat plough fence orchard sheep lane stone meadow oak", 300, 1)
    star = _documents("comet orbit nebula quasar dust moon ring flare void pulsar light", 300, 2)
    (folder / "sea.txt").write_text("\n\n".join(sea))
    (folder / "land.txt").write_text("\n\n".join(land))
    labelled = [
        {"text": text, "label": "bright" if "comet" in text else "dark", "id": f"g{n // 2}"}
        for n, text in enumerate(star)
    ]
    (folder / "star.jsonl").write_text("\n".join(json.dumps(row) for row in labelled))
    for end in "aeo":
        (folder / f"names-{end}.conll").write_text("\n".join(_tagged(end, 150)))
    draw = random.Random(7)
    lines = ["index,train_a,train_b,train_c,metric/a,metric/b"]
    for n in range(40):
        parts = [draw.random() for _ in range(3)]
        a, b, c = (part / sum(parts) for part in parts)
        lines.append(f"{n},{a},{b},{c},{3 - a - b * c},{4 - 2 * b**0.5}")
    (folder / "mixtures.csv").write_text("\n".join(lines) + "\n")


def _documents(vocabulary: str, count: int, seed: int) -> list[str]:
    """Documents of a few short sentences, in which each word tells something about the next."""
    words, draw = vocabulary.split(), random.Random(seed)
    out = []
    for _ in range(count):
        lines = []
        for _ in range(draw.randrange(1, 6)):
            at, line = draw.randrange(len(words)), []
            for _ in range(draw.randrange(4, 9)):
                line.append(words[at])
                at = (at * 3 + draw.randrange(2)) % len(words)
            lines.append(" ".join(line).capitalize() + ".")
        out.append(" ".join(lines))
    return out


def _tagged(end: str, count: int) -> list[str]:
    """Sentences of a language whose words have an ending, one token and tag a line; capitals are names."""
    draw = random.Random(ord(end))
    stems = ["go", "see", "Kim", "Rom", "the", "Bern", "very", "Max"]
    sentences = [draw.choices(stems, k=draw.randrange(4, 8)) for _ in range(count)]
    return ["".join(f"{word}{end}\t{'B-PER' if word[0].isupper() else 'O'}\n" for word in one) for one in sentences]
