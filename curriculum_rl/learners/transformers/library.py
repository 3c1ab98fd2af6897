"""The `transformers` library: its classes by head, its errors in one line, its silence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from curriculum_rl.schema.learners import Head


def auto_class(head: Head) -> Any:
    """What chooses a model's class by its configuration."""
    import transformers  # seconds to import

    return transformers.AutoModelForCausalLM if head == "causal" else transformers.AutoModelForMaskedLM


def first_line(error: BaseException) -> str:
    """The first line of an error's message, with the next where it ends in a colon; without a message, its name."""
    lines = [line.strip() for line in str(error).strip().splitlines()] or [type(error).__name__]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]


def reason(error: BaseException) -> str:
    """Why a model cannot be made: `first_line`, or what to set."""
    line = first_line(error)
    if "attention implementation" in line and "scaled_dot_product_attention" in line:
        return f"{line.split()[0]} has no sdpa: set learner.attention to eager"
    if "no file named model.safetensors" in line:
        return f"{line.rstrip('.')}; of checkpoints of torch.save, save_pretrained of the loaded model writes one"
    return line


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and warnings of `transformers`, which prints one for every load."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
