"""Putting learners back to a common start against `copy.deepcopy`, and a checkpoint of 32 of them.

    python benchmarks/reset.py [--rounds 7] [--clock cpu] [--json FILE]

135,168 parameters (2 layers, width 64, 64 tokens, vocabulary 512). `restore` copies parameters and both moments of
all N replicas from a snapshot; `reset` draws fresh parameters from N seeds, which is more work. The other side
deep-copies an equal `torch` module (bias-free Linear and Embedding, the fewest modules that have these shapes) together
with its AdamW, N times. The round trip writes snapshot and counters to disk as `curriculum-rl train` does, waits for
the disk, and reads them back.
"""

import copy
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import timing  # before torch: asks for one thread
import torch
from timing import Report, Side, each

from curriculum_rl.durable import sync
from curriculum_rl.learners import BatchedLearner, TransformerConfig
from curriculum_rl.learners.native.transformer import shapes
from curriculum_rl.recording import states

CONFIG = TransformerConfig(vocab_size=512, layers=2, width=64, heads=2, context=64)


def module() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A module with the learner's parameters, and its AdamW after an update."""
    parts: dict[str, torch.nn.Module] = {}
    for name, (rows, columns) in shapes(CONFIG).items():
        is_table = name in {"embedding", "position"}
        part = torch.nn.Embedding(rows, columns) if is_table else torch.nn.Linear(rows, columns, bias=False)
        parts[name.replace(".", "_")] = part
    model = torch.nn.ModuleDict(parts)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return model, optimizer


def copies(count: int) -> Callable[[], object]:
    """Deep copies of a module and its optimizer, `count` of them."""
    pair = module()
    return lambda: [copy.deepcopy(pair) for _ in range(count)]


def round_trip(learner: BatchedLearner, folder: Path) -> None:
    """Write everything, to the disk itself, read it back, continue from it."""
    states.write(folder, {"learner": learner.snapshot(), "counters": learner.flat.steps})
    for path in (*folder.iterdir(), folder):
        sync(path)
    learner.restore(states.read(folder)["learner"])


def main() -> None:
    """Time resets of 1, 8 and 32 replicas, and the checkpoint."""
    arguments = timing.parser(__doc__).parse_args()
    torch.set_num_threads(1)
    report = Report(arguments)
    print(f"{sum(p.numel() for p in module()[0].parameters())} parameters a replica")
    for replicas in (1, 8, 32):
        learner = BatchedLearner(CONFIG, replicas=replicas, pad_id=0)
        start, seeds = learner.snapshot(), list(range(replicas))
        calls = max(2, 160 // replicas)
        sides = [
            Side("restore", each(partial(learner.restore, start)), calls=8 * calls),
            Side("reset (fresh parameters)", each(partial(learner.reset, seeds)), calls=calls),
            Side("deepcopy of (model, optimizer)", each(copies(replicas)), calls=max(1, calls // 8), goal=15.0),
        ]
        times = report.compare(f"N = {replicas}", sides)
        if replicas == 1:
            report.fact("restore, ms", 1e3 * median(times["restore"]), goal=0.2, at_most=True)
    with tempfile.TemporaryDirectory() as name:
        learner.reset(range(7, 39))
        before = learner.snapshot().state
        side = Side("write, fsync, read, restore", each(partial(round_trip, learner, Path(name))), calls=1)
        times = report.compare("checkpoint, N = 32", [side], unit="ms")
        report.fact("checkpoint, ms", 1e3 * median(times[side.name]), goal=100.0, at_most=True)
        different = int((learner.snapshot().state != before).sum())
        report.fact("numbers that differ after it", different, goal=0.0, at_most=True)
    report.finish()


if __name__ == "__main__":
    main()
