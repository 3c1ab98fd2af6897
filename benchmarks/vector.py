"""N learners in one batched step against N sequential ones, `torch.func.vmap`, and stable-baselines3's SubprocVecEnv.

    python benchmarks/vector.py [--rounds 7] [--clock cpu] [--replicas 8,32] [--shapes S,T] [--json FILE]

A unit is one update of one learner. Sequential is this library's own learner, N times with one replica. `vmap` is a
plain PyTorch transformer of the same shape (SDPA, tied embedding, cross-entropy), its gradients mapped over stacked
parameters and a fused AdamW on the stack. For SubprocVecEnv a unit is one update of one learner, too, environment and
proxy included, in CPU seconds of all processes together: one process with N replicas against N processes with one.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timing  # before torch: asks for one thread
import torch
import torch.nn.functional as F
from timing import Report, Side, Span
from torch import Tensor
from torch.func import functional_call, grad, stack_module_state, vmap

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.learners import BatchedLearner, TransformerConfig

SHAPES = {
    "S": (TransformerConfig(vocab_size=512, layers=2, width=64, heads=1, context=64), 4),
    "T": (TransformerConfig(vocab_size=128, layers=1, width=32, heads=1, context=32), 4),
}
GOALS = {"sequential": {"S": 1.5, "T": 4.0}, "SubprocVecEnv": {"S": 1.6, "T": 5.0}}
UPDATES = 5


def plan(config: TransformerConfig, rows: int, replicas: int) -> SegmentPlan:
    """UPDATES causal batches of random tokens."""
    shape = (UPDATES, replicas, rows, config.context)
    ids = torch.randint(
        config.vocab_size, (*shape[:-1], config.context + 1), generator=torch.Generator().manual_seed(0)
    )
    ones = torch.ones(shape)
    batch = Batch(ids[..., :-1].contiguous(), ids[..., 1:].contiguous(), ones, torch.ones(shape[:-1], dtype=torch.bool))
    return SegmentPlan(batch, np.full((UPDATES, replicas), 1e-3))


def batched(config: TransformerConfig, rows: int, replicas: int) -> Callable[[int], None]:
    """All replicas in one set of tensors."""
    learner, work = BatchedLearner(config, replicas=replicas, pad_id=0), plan(config, rows, replicas)

    def run(calls: int) -> None:
        for _ in range(max(1, calls // (UPDATES * replicas))):
            learner.train(work)

    return run


def sequential(config: TransformerConfig, rows: int, replicas: int) -> Callable[[int], None]:
    """One learner after the other."""
    learners = [BatchedLearner(config, pad_id=0) for _ in range(replicas)]
    work = plan(config, rows, 1)

    def run(calls: int) -> None:
        for _ in range(max(1, calls // (UPDATES * replicas))):
            for learner in learners:
                learner.train(work)

    return run


class Block(torch.nn.Module):
    """Pre-norm attention and feed-forward layers."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = torch.nn.Linear(width, 3 * width, bias=False), torch.nn.Linear(width, width, bias=False)
        self.up = torch.nn.Linear(width, 4 * width, bias=False)
        self.down = torch.nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, d) -> (B, T, d)."""
        B, T, d = x.shape
        q, k, v = self.qkv(F.layer_norm(x, (d,))).view(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(B, T, d))
        return x + self.down(F.layer_norm(x, (d,)).matmul(self.up.weight.T).relu().square())


class Plain(torch.nn.Module):
    """The same shape in plain PyTorch."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(config.vocab_size, config.width)
        self.position = torch.nn.Embedding(config.context, config.width)
        self.blocks = torch.nn.Sequential(*(Block(config.width, config.heads) for _ in range(config.layers)))

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of (B, T)."""
        x = F.layer_norm(self.embedding(ids) + self.position.weight[: ids.shape[1]], (self.embedding.embedding_dim,))
        x = F.layer_norm(self.blocks(x), (x.shape[-1],))
        return F.cross_entropy((x @ self.embedding.weight.T).flatten(0, 1), targets.flatten())


def mapped(config: TransformerConfig, rows: int, replicas: int) -> Callable[[int], None]:
    """`vmap` of the gradient over stacked parameters."""
    models = [Plain(config) for _ in range(replicas)]
    parameters, buffers = stack_module_state(models)
    bare = Plain(config).to("meta")

    def loss(own: dict[str, Tensor], ids: Tensor, targets: Tensor) -> Tensor:
        found: Tensor = functional_call(bare, (own, buffers), (ids, targets))
        return found

    slopes = vmap(grad(loss))
    values = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    optimizer = torch.optim.AdamW(values.values(), lr=1e-3, fused=True)
    work = plan(config, rows, replicas).batches

    def run(calls: int) -> None:
        for _ in range(max(1, calls // (UPDATES * replicas))):
            for i in range(UPDATES):
                found = slopes({n: v.detach() for n, v in values.items()}, work.input_ids[i], work.targets[i])
                for name, value in values.items():
                    value.grad = found[name]
                optimizer.step()

    return run


def environment(shape: str, rows: int) -> dict[str, Any]:
    """An environment of the shape over text of the standard library; its vocabulary cannot be below 320."""
    config = SHAPES[shape][0]
    return {
        "name": f"vector-{shape}",
        "corpora": {
            "docs": {"kind": "almanac", "text": "pydocs", "heldout": 0.3},
            "source": {"kind": "almanac", "text": "pysource"},
        },
        "tokenizer": {"kind": "bpe", "vocab_size": max(320, config.vocab_size)},
        "learner": {"layers": config.layers, "width": config.width, "heads": config.heads},
        "context": config.context,
        "batch": rows,
        "target": {"corpus": "docs"},
        "proxy": {"sequences": 8},
        "report": {"sequences": 8, "task_sequences": 0},
        "segment": {"updates": 10},
        "budget": {"updates": 100_000},
    }


def processes(shape: str, rows: int, replicas: int) -> tuple[Callable[[int], Span], Callable[[int], Span]]:
    """One process with N replicas, and SubprocVecEnv with N processes."""
    from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv

    from curriculum_rl.envs.stable_baselines import make_sb3_vec_env

    config = environment(shape, rows)

    def spans(env: VecEnv, pids: list[int]) -> Callable[[int], Span]:
        env.seed(0)
        env.reset()

        def run(calls: int) -> Span:
            wall, cpu = time.perf_counter(), sum(map(cpu_seconds, pids))
            for _ in range(max(1, calls // (10 * replicas))):
                env.step(np.zeros(replicas, dtype=np.int64))
            return Span(time.perf_counter() - wall, sum(map(cpu_seconds, pids)) - cpu)

        return run

    one = make_sb3_vec_env(config, num_envs=replicas)
    many = SubprocVecEnv([partial(single, config)] * replicas, start_method="spawn")
    return spans(one, [os.getpid()]), spans(many, [os.getpid(), *(p.pid for p in many.processes)])


def single(config: dict[str, Any]) -> Any:
    """One environment in a process of its own."""
    from curriculum_rl.envs.pretraining import PretrainingEnv

    torch.set_num_threads(1)
    return PretrainingEnv(config)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Time all shapes and numbers of replicas."""
    parser = timing.parser(__doc__)
    parser.add_argument("--replicas", default="8,32")
    parser.add_argument("--shapes", default="S,T")
    parser.add_argument("--updates", type=int, default=640, help="updates of a learner in a round")
    arguments = parser.parse_args()
    report = Report(arguments)
    calls = arguments.updates
    for shape in arguments.shapes.split(","):
        config, rows = SHAPES[shape]
        for replicas in map(int, arguments.replicas.split(",")):
            sides = [
                Side("batched", batched(config, rows, replicas), calls),
                Side("sequential", sequential(config, rows, replicas), calls, GOALS["sequential"][shape]),
                Side("torch.func.vmap", mapped(config, rows, replicas), calls),
            ]
            report.compare(f"{shape}, N = {replicas}", sides)
            one, many = processes(shape, rows, replicas)
            sides = [
                Side("one process, N replicas", one, calls),
                Side("SubprocVecEnv", many, calls, GOALS["SubprocVecEnv"][shape]),
            ]
            report.compare(f"{shape}, N = {replicas}, environments, {arguments.clock} of all processes", sides)
    report.finish()


if __name__ == "__main__":
    main()
