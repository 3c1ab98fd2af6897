"""One native learner against `transformers`: `Trainer` and a plain loop; an optimizer step, no dropout, one thread.

    pip install accelerate
    python benchmarks/learner.py [--rounds 7] [--shapes S,A,B] [--clock cpu] [--json FILE]

GPT-2 of the same layers, width, heads, context and vocabulary, AdamW, gradients clipped at norm 1, causal LM on random
tokens. Our side draws its windows and makes its batches in the measured time, as the environment does. `Trainer` reads
a map-style dataset of tensors with its default collator; its set-up is left out (the clock runs from the end of the
first step to the end of the last). The plain loop gets ready-made tensors and a fused AdamW.

Two groups a shape: as both are shipped (ours: relu^2, no biases, no LayerNorm gains; theirs: GPT-2 with its tanh GELU
in separate operations), and with the same activation (tanh GELU as one operation on both sides). FLOP utilisation is
3 forward passes of matrix products over step time, as a share of the rate of a 1024^3 product in the same round.
"""

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import timing  # before torch: asks for one thread
import torch
from timing import Report, Side, Span, each

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.learners import BatchedLearner, TransformerConfig
from curriculum_rl.objectives import CausalLM
from curriculum_rl.schema.learners import Activation
from curriculum_rl.tasks import Task, segment_batches
from curriculum_rl.text.corpora import Corpus

RATE = 1e-3
SQUARE = 1024  # of the product that utilisation is measured by
POOL = 1 << 16  # tokens that both sides draw from


@dataclass(frozen=True)
class Shape:
    """A learner and a batch.

    Attributes:
        config: of our learner.
        batch: rows of an update.
        steps: optimizer steps of a round.
        faster: goal, times Trainer's speed.
        utilisation: goal, share of the GEMM rate, or None.
    """

    config: TransformerConfig
    batch: int
    steps: int
    faster: float
    utilisation: float | None = None


SHAPES = {
    "T": Shape(TransformerConfig(vocab_size=128, layers=1, width=32, heads=1, context=32), 4, 80, 2.5),
    "S": Shape(TransformerConfig(vocab_size=512, layers=2, width=64, heads=1, context=64), 4, 40, 2.5),
    "A": Shape(TransformerConfig(vocab_size=512, layers=2, width=64, heads=2, context=64), 32, 10, 1.8, 0.45),
    "B": Shape(TransformerConfig(vocab_size=2048, layers=2, width=128, heads=4, context=128), 16, 5, 1.8, 0.60),
}


def ours(shape: Shape, activation: Activation) -> tuple[BatchedLearner, Callable[[int], None]]:
    """A learner, and segments of it with their data."""
    config = shape.config.model_copy(update={"activation": activation})
    learner = BatchedLearner(config, replicas=1, pad_id=0)
    vocabulary: Any = SimpleNamespace(pad_id=0)
    task = Task("random", Corpus("random", tokens(config).astype(np.uint16), sha256=""), CausalLM(vocabulary))
    counters = np.zeros((1, 1), np.int64)

    def run(calls: int) -> None:
        nonlocal counters
        plan = np.zeros((calls, 1, shape.batch), np.int64)
        batches, counters = segment_batches([task], plan, counters, [0], config.context)
        learner.train(SegmentPlan(batches, np.full((calls, 1), RATE)))

    return learner, run


def tokens(config: TransformerConfig) -> Any:
    """(POOL + 1,) random tokens, none of them the padding token 0."""
    return np.random.default_rng(0).integers(1, config.vocab_size, POOL + 1)


def gpt2(shape: Shape, activation: str) -> Any:
    """A GPT-2 of the same size."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = shape.config
    sizes = {"vocab_size": config.vocab_size, "n_positions": config.context, "n_embd": config.width}
    sizes |= {"n_layer": config.layers, "n_head": config.heads, "bos_token_id": 0, "eos_token_id": 0}
    dropouts = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    options: dict[str, Any] = {**sizes, **dropouts, "activation_function": activation}
    return GPT2LMHeadModel(GPT2Config(**options))


def windows(config: TransformerConfig) -> torch.Tensor:
    """The same tokens as rows (R, T)."""
    rows: torch.Tensor = torch.from_numpy(tokens(config)[:-1].reshape(-1, config.context))
    return rows


def plain_loop(shape: Shape, model: Any) -> Callable[[int], None]:
    """The shortest training loop."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, fused=True)
    batches = cycle(torch.split(windows(shape.config), shape.batch))

    def run(calls: int) -> None:
        for _, batch in zip(range(calls), batches, strict=False):
            model(input_ids=batch, labels=batch).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    return run


def trainer(shape: Shape, model: Any, folder: str) -> Callable[[int], Span]:
    """`Trainer`, timed from the end of the first step of a call to the end of the last."""
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            now = Span.now()
            if state.global_step == 1:
                self.begun = now
            self.ended = now

    rows = [{"input_ids": row, "labels": row} for row in windows(shape.config)]
    clock = Clock()

    def run(calls: int) -> Span:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=shape.batch,
            max_steps=calls + 1,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        trainer = Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[clock])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        return clock.ended.since(clock.begun)

    return run


def compare(report: Report, name: str, shape: Shape, *, alike: bool) -> None:
    """One group: ours, Trainer, plain loop; with the GEMM rate of this moment."""
    learner, run = ours(shape, "gelu" if alike else shape.config.activation)
    activation = "gelu_pytorch_tanh" if alike else "gelu_new"
    count = shape.batch * shape.config.context
    factors = torch.randn(2, SQUARE, SQUARE).unbind()
    with tempfile.TemporaryDirectory() as folder:
        sides = [
            Side("native learner", run, calls=shape.steps),
            Side(
                "transformers Trainer",
                trainer(shape, gpt2(shape, activation), folder),
                calls=shape.steps,
                goal=None if alike else shape.faster,
            ),
            Side("plain transformers loop", plain_loop(shape, gpt2(shape, activation)), calls=shape.steps),
            Side("GEMM 1024^3", each(partial(torch.mm, *factors, out=factors[0].clone())), calls=4),
        ]
        size = f"{learner.flat.size():,} and {gpt2(shape, activation).num_parameters():,} parameters"
        kind = "same activation (tanh GELU)" if alike else "each as shipped"
        times = report.compare(f"shape {name}, {count} tokens an update, {kind}, {size}", sides, unit="ms")
    work = learner.flops(count, training=True) / (2 * SQUARE**3)
    shares = [work * gemm / ours for gemm, ours in zip(times["GEMM 1024^3"], times["native learner"], strict=True)]
    label = f"{name}, {kind}:"
    report.fact(f"{label} GEMM, GFLOP/s", 2e-9 * SQUARE**3 / min(times["GEMM 1024^3"]))
    report.fact(f"{label} utilisation", median(shares), goal=None if alike else shape.utilisation)


def main() -> None:
    """Compare at each shape."""
    parser = timing.parser(__doc__)
    parser.add_argument("--shapes", default="S,A,B", help=f"a list of {', '.join(SHAPES)}")
    arguments = parser.parse_args()
    if importlib.util.find_spec("accelerate") is None:
        parser.error("transformers' Trainer needs accelerate: pip install accelerate")
    import transformers

    quiet: Any = transformers.logging.set_verbosity_error
    quiet()
    report = Report(arguments)
    for name in arguments.shapes.split(","):
        for alike in (False, True):
            compare(report, name, SHAPES[name], alike=alike)
    report.finish()


if __name__ == "__main__":
    main()
