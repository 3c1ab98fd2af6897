"""The limit itself: rate of matrix products at a learner's shapes, and copy bandwidth, on one thread or one GPU.

    python benchmarks/peak.py [--shapes T,S,A,B] [--replicas 1] [--rounds 7] [--device cpu] [--json FILE]

`gemm_rate` makes every product of an update (forward, and both of the backward pass) with `out=`, nothing else; the
difference to a square product is what the shapes cost, and the difference to an update is what everything else costs.
"""

from collections.abc import Callable, Iterable
from functools import partial
from statistics import median

import timing  # before torch: asks for one thread
import torch
from timing import Report, Side, Span

from curriculum_rl.learners import TransformerConfig
from curriculum_rl.learners.native.linear_ce import chunk_rows

Product = tuple[int, int, int]  # (m, k) times (k, n)

SQUARE: Product = (1024, 1024, 1024)
COPIES = {"cpu": (0.5, 4.0, 16.0, 64.0), "cuda": (16.0, 256.0, 1024.0)}  # MB; the caches' sizes and beyond


def learner_products(config: TransformerConfig, rows: int, device: torch.device) -> list[Product]:
    """The products of one update of one replica, without attention.

    Args:
        config: of the learner.
        rows: B, full rows of which every position is scored.
        device: decides the chunks in which the head's products are made.
    """
    positions, d, chunk = rows * config.context, config.width, chunk_rows(device)
    forward = config.layers * [(positions, d, 3 * d), (positions, d, d), (positions, d, 4 * d), (positions, 4 * d, d)]
    for start in range(0, positions, chunk):
        forward.append((min(chunk, positions - start), d, config.vocab_size))
    return [product for m, k, n in forward for product in ((m, k, n), (m, n, k), (k, m, n))]


def operations(products: Iterable[Product]) -> float:
    """Floating-point operations, a product and a sum for each."""
    return float(sum(2 * m * k * n for m, k, n in products))


def making(
    products: Iterable[Product],
    *,
    replicas: int = 1,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Callable[[], None]:
    """A function that makes all products once for each replica, operands and results in place."""
    ready = {
        (m, k, n): tuple(torch.randn(replicas, *size, device=device).to(dtype) for size in ((m, k), (k, n), (m, n)))
        for m, k, n in set(products)
    }
    order = [ready[product] for product in products]

    def work() -> None:
        for left, right, out in order:
            torch.bmm(left, right, out=out)

    return work


def timed(work: Callable[[], object], device: torch.device) -> Callable[[int], Span]:
    """`run` for a side: waits for the device before both readings of the clock."""

    def run(calls: int) -> Span:
        wait(device)
        begun = Span.now()
        for _ in range(calls):
            work()
        wait(device)
        return Span.now().since(begun)

    return run


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def gemm_rate(
    products: Iterable[Product],
    *,
    replicas: int = 1,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    calls: int = 4,
    rounds: int = timing.ROUNDS,
) -> float:
    """GFLOP/s of some products in turn: the median of the rounds."""
    listed = list(products)
    run = timed(making(listed, replicas=replicas, device=device, dtype=dtype), torch.device(device))
    run(1)
    return replicas * operations(listed) / median(run(calls).wall / calls for _ in range(rounds)) / 1e9


def copying(megabytes: float, device: torch.device | str = "cpu") -> Callable[[], object]:
    """A function that copies so much: as much is read and written."""
    source = torch.randn(int(megabytes * 1e6 / 4), device=device)
    return partial(torch.empty_like(source).copy_, source)


def main() -> None:
    """Measure and print."""
    parser = timing.parser(__doc__)
    parser.add_argument("--shapes", default="T,S,A,B")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    from learner import SHAPES

    report, device = Report(arguments), torch.device(arguments.device)
    for name in arguments.shapes.split(","):
        shape = SHAPES[name]
        products = learner_products(shape.config, shape.batch, device)
        work = {"products of an update": (products, arguments.replicas), "square 1024^3": ([SQUARE], 1)}
        sides = [
            Side(label, timed(making(sizes, replicas=count, device=device), device), calls=4)
            for label, (sizes, count) in work.items()
        ]
        times = report.compare(f"shape {name}, N = {arguments.replicas}", sides, unit="ms")
        for label, (sizes, count) in work.items():
            report.fact(f"{name}: {label}, GFLOP/s", count * operations(sizes) / median(times[label]) / 1e9)
    sides = [Side(f"{size:g} MB", timed(copying(size, device), device), calls=20) for size in COPIES[device.type]]
    times = report.compare("copies", sides)
    for size in COPIES[device.type]:
        report.fact(f"copy of {size:g} MB, read and written, GB/s", 2e-3 * size / median(times[f"{size:g} MB"]))
    report.finish()


if __name__ == "__main__":
    main()
