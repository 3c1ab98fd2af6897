"""In which number format matrix products are made, and how a learner's arithmetic is run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from curriculum_rl.errors import ConfigError

Precision = Literal["auto", "float32", "tf32", "bfloat16"]

TF32_CAPABILITY = (8, 0)  # the first CUDA devices that have it (Ampere)


@dataclass(frozen=True)
class Execution:
    """How a learner's arithmetic is run: nothing here changes what is computed, beyond rounding.

    Attributes:
        precision: of matrix products; parameters, sums, norms, losses and the optimizer are float32 throughout.
            `auto` is float32 on a CPU and bfloat16 on a CUDA device. bfloat16 is slow on CPUs without it.
        compile: run the transformer's layers through `torch.compile`: half a minute once, then faster updates. The bits
            are the compiler's.
        capture: record an update as a CUDA graph once per shape and replay it. Not run on a GPU yet.
    """

    precision: Precision = "auto"
    compile: bool = False
    capture: bool = False

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise ConfigError(
                f"learner precision must be one of {', '.join(get_args(Precision))}, not {self.precision!r}"
            )


def resolved(execution: Execution, device: torch.device) -> Precision:
    """The precision that `auto` stands for on a device.

    Raises:
        ConfigError: for what the device cannot do.
    """
    cuda = device.type == "cuda"
    if execution.capture and not cuda:
        raise ConfigError(f"learner capture: CUDA graphs need a CUDA device, not {device}")
    precision = execution.precision
    if precision == "auto":
        return "bfloat16" if cuda and _has_bfloat16(device) else "float32"
    if precision == "bfloat16" and cuda and not _has_bfloat16(device):
        raise ConfigError(f"learner precision: {device} has no bfloat16, use float32")
    if precision == "tf32" and not (cuda and torch.cuda.get_device_capability(device) >= TF32_CAPABILITY):
        raise ConfigError(f"learner precision: {device} has no tf32, use float32")
    return precision


def product_dtype(precision: Precision) -> torch.dtype:
    """The type of the factors of matrix products."""
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


@contextmanager
def products(precision: Precision) -> Iterator[None]:
    """Let float32 products of the body use tf32 where that is the precision; torch's own setting comes back after."""
    if precision != "tf32":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _has_bfloat16(device: torch.device) -> bool:
    with torch.cuda.device(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
