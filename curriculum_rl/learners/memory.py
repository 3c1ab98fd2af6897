"""What does not fit in memory becomes one line that names the settings to lower."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from curriculum_rl.errors import ConfigError

# What torch's allocator of CPU memory says, with "can't allocate memory" or "not enough memory" behind it.
CPU_ALLOCATOR = "DefaultCPUAllocator"


@contextmanager
def fitting(what: str, advice: str) -> Iterator[None]:
    """Turn out-of-memory errors of the body into a ConfigError.

    Args:
        what: what was being made, with its sizes.
        advice: the settings to lower or raise.

    Raises:
        ConfigError: where the device or the CPU has no room.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
        # The frames of the failed call hold its tensors, and the new exception would hold the frames.
        traceback.clear_frames(error.__traceback__)
        raise ConfigError(f"{what} does not fit in memory: {advice}") from None


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or CPU_ALLOCATOR in str(error)
