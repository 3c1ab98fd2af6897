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

WORDS = {
    "sea": "wave salt harbour sail tide gull anchor reef storm deck rope",
    "land": "hill barn wheat plough fence orchard sheep lane stone meadow oak",
    "star": "comet orbit nebula quasar dust moon ring flare void pulsar light",
}


@dataclass(frozen=True)
class Play:
    """Steps an environment by its id: an agent's picks, or random ones.

    Attributes:
        id: of the environment.
        arguments: of `gymnasium.make`; `{env}` and `{texts}` in them are filled in.
        signals: asked for with `request_signals`.
        agent: who learns for `learn` steps and then picks; None: random picks.
        learn: steps.
        vector: sub-environments of `gymnasium.make_vec`; 0: one plain environment.
    """

    id: str
    arguments: Mapping[str, Any]
    signals: tuple[str, ...] = ()
    agent: str | None = None
    learn: int = 20
    vector: int = 0

    def perform(self, places: Mapping[str, str]) -> None:
        """Play one episode and write what was seen after each step to `rows.jsonl`."""
        import gymnasium

        made = {key: v.format(**places) if isinstance(v, str) else v for key, v in self.arguments.items()}
        name = f"curriculum_rl.envs:CurriculumRL/{self.id}-v0"
        env: Any = gymnasium.make_vec(name, self.vector, **made) if self.vector else gymnasium.make(name, **made)
        if self.signals:
            env.unwrapped.request_signals(self.signals)
        picks = self._agent(env)
        rows: list[Any] = [env.reset(seed=3)]
        env.action_space.seed(3)
        ended = False
        while not ended:
            rows.append(env.step(picks.predict(rows[-1][0])[0] if picks else env.action_space.sample()))
            ended = bool(rows[-1][2].all()) if self.vector else rows[-1][2]
        lines = [json.dumps({"seen": row}, default=lambda value: value.tolist()) for row in rows]
        folder = Path(places["out"])
        folder.mkdir(parents=True)
        (folder / "rows.jsonl").write_text("\n".join(lines) + "\n")

    def _agent(self, env: Any) -> Any:
        if self.agent is None:
            return None
        from curriculum_rl import agents

        env.reset(seed=2)
        agent = agents.make(self.agent, env, seed=0)
        agent.learn(total_timesteps=self.learn)
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


def train(agent: str, **env: Any) -> Run:
    """One training; `agent` is its name, and all other options as they are typed."""
    return Run((f"train --env {{env}} --out {{out}} --quiet --seed 1 --agent {agent}",), env)


def then(run: Run, *commands: str | Play) -> Run:
    """The same, and more commands after it."""
    return Run((*run.commands, *commands), run.env)


def some(kinds: str, corpora: Any = "all", **settings: Any) -> list[dict[str, Any]]:
    """Tasks of several objectives, by their names."""
    return [{"corpora": corpora, "objective": {"kind": kind, **settings}} for kind in kinds.split()]


STAR = {"paths": "{texts}/star.jsonl", "label_field": "label", "group_field": "id"}
NAMES = {f"names{end}": {"paths": f"{{texts}}/names{end}.conll", "format": "conll", "heldout": 0.2} for end in "ae"}
HARD = {
    "sea": {"paths": "{texts}/sea.txt"},
    "star": STAR | {"heldout": 0.4},
    "noise": {"kind": "noise", "tokens": 4000},
    "shuffled": {"kind": "shuffled", "of": "sea"},
    "copy": {"kind": "copy", "of": "sea"},
    "small": {"kind": "small", "of": "sea", "characters": 3000},
}
TUNE = {"examples": 16, "updates": 3, "batch": 4, "test_examples": 16}
BASE: Mapping[str, Any] = MappingProxyType(
    {
        "name": "golden",
        "corpora": {"sea": HARD["sea"], "land": {"paths": "{texts}/land.txt"}, "star": HARD["star"]},
        "tokenizer": {"kind": "bpe", "vocab_size": 400, "labels": 16},
        "tasks": [*some("causal_lm"), *some("masked_lm", ["star"])],
        "learner": {"kind": "transformer", "layers": 1, "width": 32, "heads": 2},
        "context": 24,
        "batch": 6,
        "target": {"corpus": "star"},
        "proxy": {"kind": "heldout_loss", "sequences": 8},
        "report": {"sequences": 16, "task_sequences": 4, "finetune": TUNE},
        "segment": {"updates": 2},
        "budget": {"updates": 24},
    }
)
BERT = {
    "model_type": "bert", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 32,
}  # fmt: skip
GPT2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 2, "n_head": 2}

RUNS: Mapping[str, Run] = MappingProxyType(
    {
        "exp3s": then(train("exp3s"), "evaluate {out} --episodes 2"),
        "objectives-text": train(
            "stratified",
            tasks=some("causal_lm prefix_lm span_corruption masked_lm whole_word_masking span_masking", ["sea"]),
        ),
        "hard-corpora": train(
            "d-ts --set agent.prior=0.1 --set agent.prune=0.2 --set agent.minimum_share=0.02 "
            "--set agent.maximum_epochs=3 --set agent.guard=0.5",
            corpora=HARD,
        ),
        "planted": Run((Play("Planted", {"problem": "noise", "noise": 0.01}, agent="d-ts"),)),
    }
)


def environment(run: Run, texts: Path) -> str:
    """The run's environment file, JSON being YAML."""
    return json.dumps({**BASE, **run.env}, indent=1).replace("{texts}", str(texts))


def write_texts(folder: Path) -> None:
    """Write two plain corpora, a labelled and two tagged ones, and a table of mixtures and losses."""
    folder.mkdir(parents=True)
    for seed, name in enumerate(("sea", "land")):
        (folder / f"{name}.txt").write_text("\n\n".join(_documents(WORDS[name].split(), 300, seed)))
    labelled = [
        {"text": text, "label": "bright" if "comet" in text else "dark", "id": f"g{n // 2}"}
        for n, text in enumerate(_documents(WORDS["star"].split(), 300, 2))
    ]
    (folder / "star.jsonl").write_text("\n".join(json.dumps(row) for row in labelled))
    for end in "aeo":
        (folder / f"names{end}.conll").write_text("\n".join(_tagged(end, 150)))
    draw = random.Random(7)
    lines = ["index,train_a,train_b,train_c,metric/a,metric/b"]
    for n in range(40):
        parts = [draw.random() for _ in range(3)]
        a, b, c = (part / sum(parts) for part in parts)
        lines.append(f"{n},{a},{b},{c},{3 - a - b * c},{4 - 2 * b**0.5}")
    (folder / "mixtures.csv").write_text("\n".join(lines) + "\n")


def _documents(words: list[str], count: int, seed: int) -> list[str]:
    """Documents of a few short sentences, in which each word tells something about the next."""
    draw = random.Random(seed)
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
