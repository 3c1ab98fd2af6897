"""On a CUDA device: N learners in one replayed graph against N learners one after the other, and a 124M transformer.

    python benchmarks/gpu.py [--replicas 1,8,32,128,512] [--precisions bfloat16,tf32] [--rounds 7] [--json FILE]

A unit is one update of all N replicas on shape S (2 layers, width 64, 64 tokens, vocabulary 512, 4 rows), causal LM on
random tokens, segments of 10 updates, batches made beforehand on the host. `sequential eager` trains N learners of one
replica, `compiled` runs the layers through torch.compile inside the graph. The transformer is a GPT-2 of 124 million
parameters on 8 rows of 1,024 tokens; its utilisation is 3 counted forward passes over step time, as a share of the
rate of an 8192^3 product in bfloat16 in the same run.

Without a CUDA device this says so and reports nothing. It has not been run on one yet.
"""

from collections.abc import Callable
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import timing  # before torch: asks for one thread
import torch
from peak import gemm_rate, timed
from timing import Report, Side

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.learners import BatchedLearner, TransformerConfig
from curriculum_rl.learners.base import Learner
from curriculum_rl.schema.learners import Execution, Precision

CONFIG = TransformerConfig(vocab_size=512, layers=2, width=64, heads=1, context=64)
ROWS = 4
UPDATES = 10
GOALS = {32: 30.0}  # how many times a captured update's time the sequential ones take
GPT2 = {"model_type": "gpt2", "n_positions": 1024}  # its default sizes: 12 layers, width 768, 12 heads
GPT2_VOCABULARY = 50_257
GPT2_ROWS = 8
SQUARE = (8192, 8192, 8192)
UTILISATION = 0.40


def plan(updates: int, replicas: int, rows: int, length: int, vocabulary: int) -> SegmentPlan:
    """Random windows, every position scored."""
    draw = torch.Generator().manual_seed(0)
    windows = torch.randint(1, vocabulary, (updates, replicas, rows, length + 1), generator=draw)
    causal = torch.ones(updates, replicas, rows, dtype=torch.bool)
    batch = Batch(windows[..., :-1], windows[..., 1:], torch.ones(updates, replicas, rows, length), causal)
    return SegmentPlan(batch, np.full((updates, replicas), 1e-3))


def native(replicas: int, device: torch.device, precision: Precision, **how: bool) -> BatchedLearner:
    """N learners of shape S."""
    return BatchedLearner(
        CONFIG, replicas=replicas, pad_id=0, device=device, execution=Execution(precision=precision, **how)
    )


def segments(learners: list[Learner], replicas: int) -> Callable[[], None]:
    """One segment of each learner; all learners together have the replicas."""
    each = plan(UPDATES, replicas // len(learners), ROWS, CONFIG.context, CONFIG.vocab_size)

    def work() -> None:
        for learner in learners:
            learner.train(each)

    return work


def compare(report: Report, replicas: int, device: torch.device, precision: Precision) -> None:
    """One N and one precision; times are of segments."""
    alone: list[Learner] = [native(1, device, precision) for _ in range(replicas)]
    ways = {"captured": {"capture": True}, "eager": {}, "compiled and captured": {"compile": True, "capture": True}}
    sides = [
        Side(
            f"batched, {name}",
            timed(segments([native(replicas, device, precision, **how)], replicas), device),
            calls=4,
        )
        for name, how in ways.items()
    ]
    sides.append(Side("sequential eager", timed(segments(alone, replicas), device), calls=1, goal=GOALS.get(replicas)))
    times = report.compare(f"N = {replicas}, {precision}, a segment of {UPDATES} updates", sides, unit="ms")
    tokens = UPDATES * replicas * ROWS * CONFIG.context
    for side in sides:
        report.fact(f"{side.name}, thousand tokens/s", tokens / median(times[side.name]) / 1e3)


def transformer(report: Report, device: torch.device) -> None:
    """FLOP utilisation of a GPT-2 of 124 million parameters."""
    from curriculum_rl.learners.transformers.learner import TransformersLearner

    words: Any = SimpleNamespace(vocab_size=GPT2_VOCABULARY, pad_id=0, eos_id=1)
    learner = TransformersLearner(GPT2, tokenizer=words, context=1024, device=device)
    segment = plan(4, 1, GPT2_ROWS, 1024, GPT2_VOCABULARY)
    side = Side("4 updates", timed(lambda: learner.train(segment), device), calls=1)
    times = report.compare(
        f"GPT-2, {learner.flat.size() / 1e6:.0f}M parameters, {learner.precision}", [side], unit="ms"
    )
    rate = gemm_rate([SQUARE], device=device, dtype=torch.bfloat16)
    report.fact("8192^3 in bfloat16, TFLOP/s", rate / 1e3)
    work = learner.flops(4 * GPT2_ROWS * 1024, training=True)
    report.fact("GPT-2: utilisation", work / median(times["4 updates"]) / (1e9 * rate), goal=UTILISATION)


def main() -> None:
    """Run where there is a device."""
    parser = timing.parser(__doc__)
    parser.add_argument("--replicas", default="1,8,32,128,512")
    parser.add_argument("--precisions", default="bfloat16,tf32")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device: nothing was measured")
        return
    device = torch.device("cuda")
    print(torch.cuda.get_device_name(device))
    report = Report(arguments)
    for precision in arguments.precisions.split(","):
        for replicas in map(int, arguments.replicas.split(",")):
            compare(report, replicas, device, precision)
    transformer(report, device)
    report.finish()


if __name__ == "__main__":
    main()
