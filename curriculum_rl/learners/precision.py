"""In which number format matrix products are made."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.learners import Precision

TF32_CAPABILITY = (8, 0)  # the first CUDA devices that have it (Ampere)


def resolved(precision: Precision, device: torch.device) -> Precision:
    """The precision that `auto` stands for on a device.

    Raises:
        ConfigError: for what the device cannot do.
    """
    cuda = device.type == "cuda"
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
