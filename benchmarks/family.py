"""One family of environments: what reading it says, and the run of stratified batches that sets its budget."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curriculum_rl.experiment import Experiment, build
from curriculum_rl.pretraining.counting import stratified_rows
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.text import divergence
from curriculum_rl.text.documents import sha256_of

SEED = 900_000
"""A selection seed: no comparison has it."""
NOT_SAID = ("A report family", "A development family", "CURRICULUM_RL_DATA", "Its class", "No mixture")
"""What the head of every file says of it, and a page once."""


@dataclass(frozen=True)
class Source:
    """A corpus of a family.

    Attributes:
        name: of the corpus.
        tokens: of its train part.
        passes: over it by all its tasks together, in a run of stratified batches.
        bits: Jensen-Shannon divergence of its words from the target's.
        share: of it in the static prior.
    """

    name: str
    tokens: int
    passes: float
    bits: float
    share: float


@dataclass(frozen=True)
class Family:
    """What reading an environment says of it.

    Attributes:
        name: of the environment.
        role: development or report.
        about: what the head of its file says.
        tasks: K.
        objectives: names, each once.
        sources: its corpora.
        apart: mean Jensen-Shannon divergence between two of them, bits.
        updates: the budget.
        rows: of all updates.
        windows: of the target's report split.
        print: what its figures depend on.
    """

    name: str
    role: str
    about: str
    tasks: int
    objectives: tuple[str, ...]
    sources: tuple[Source, ...]
    apart: float
    updates: int
    rows: int
    windows: int
    print: str

    @property
    def nearest(self) -> Source:
        """The source whose words are nearest to the target's."""
        return min(self.sources, key=lambda source: source.bits)

    @property
    def effective(self) -> float:
        """How many sources the prior amounts to: exp of the entropy of its shares."""
        shares = np.array([source.share for source in self.sources])
        return float(np.exp(-(shares * np.log(np.maximum(shares, 1e-300))).sum()))


def family_of(file: Path, role: str) -> Family:
    """Read an environment; needs its texts."""
    experiment = build(configs.load(file, trust=True))
    config, problem = experiment.config, experiment.problem
    rows = stratified_rows(Pretraining(experiment, charge_proxy=False, downstream=False))
    sources = _sources(experiment, rows)
    written = config.model_dump(mode="json", exclude={"corpora", "target"}, exclude_unset=True)
    first = {task.name.split(".")[0]: task.corpus.tokens for task in reversed(problem.tasks)}
    words = [divergence.unigram(tokens, problem.tokenizer.vocab_size) for tokens in first.values()]
    pairs = [divergence.jensen_shannon(p, q) for number, p in enumerate(words) for q in words[:number]]
    return Family(
        name=config.name,
        role=role,
        about=_about(file.read_text(encoding="utf-8")),
        tasks=len(problem.tasks),
        objectives=tuple(dict.fromkeys(task.objective.name for task in problem.tasks)),
        sources=sources,
        apart=float(np.mean(pairs)),
        updates=sum(rows.values()) // config.batch,
        rows=sum(rows.values()),
        windows=problem.target.text["report"].size(config.context),
        print=sha256_of(written, experiment.data),
    )


def _about(text: str) -> str:
    """The head of a file, without what heads have in common."""
    head = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    sentences = head.replace(". ", ".\n").splitlines()
    return " ".join(sentence for sentence in sentences if not sentence.startswith(NOT_SAID))


def _sources(experiment: Experiment, rows: dict[str, int]) -> tuple[Source, ...]:
    problem, context = experiment.problem, experiment.problem.context
    shares = np.zeros(len(problem.tasks)) if problem.prior is None else problem.prior
    found: dict[str, Source] = {}
    for task, bits, share in zip(problem.tasks, problem.divergence.tolist(), shares.tolist(), strict=True):
        name = task.name.split(".")[0]
        passes = rows[task.name] / task.corpus.size(context)
        known = found.get(name, Source(name, len(task.corpus.tokens), 0.0, bits, 0.0))
        found[name] = Source(name, known.tokens, known.passes + passes, known.bits, known.share + share)
    return tuple(found.values())


def play_stratified(file: Path) -> dict[str, Any]:
    """One run of stratified batches and the lines of counting alone on the rows that it reads."""
    from curriculum_rl.scripts.running.request import Request
    from curriculum_rl.scripts.train import train

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        config = configs.load(file, trust=True)
        train(Request(env=config, agent="stratified", seed=SEED, out=out, quiet=True, summarise=False, picture=False))
        result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    downstream = {key: value for key, value in result["final"].items() if key.startswith("downstream_")}
    return {
        "target_loss": result["final"]["target_loss"],
        **downstream,
        **result["baselines"],
        "seconds": sum(result["seconds"].values()) - result["seconds"]["report"],
    }
