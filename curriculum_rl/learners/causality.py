"""Whether a learner that says it reads left to right does so: for those whose insides nobody here knows.

Shapes: B rows, T tokens.
"""

import torch

from curriculum_rl.batch import Batch
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner

TOLERANCE = 1e-3
"""Nats by which the loss of one token may differ between two batches."""


def check_causal(learner: Learner) -> None:
    """Compare the losses of rows that differ from some place on, and of a row alone and among others.

    Args:
        learner: with parameters; of rows that it reads left to right.

    Raises:
        ConfigError: A loss depends on later tokens, or on other rows.
    """
    T, name = learner.context, type(learner).__name__
    draw = torch.Generator().manual_seed(0)
    first, other, targets = torch.randint(learner.vocab_size, (3, T), generator=draw)
    cuts = sorted({cut for cut in (1, T // 2, T // 2 + 1, T - 1) if 0 < cut < T})
    rows = torch.stack([first, *(torch.cat([first[:cut], other[cut:]]) for cut in cuts)])
    losses = learner.token_losses(_causal(rows, targets))
    alone = learner.token_losses(_causal(rows[:1], targets))
    if not torch.allclose(losses[:, 0], alone[:, 0], atol=TOLERANCE, rtol=TOLERANCE):
        raise ConfigError(f"learner: the losses of a row depend on other rows of the batch, of {name}")
    for n, cut in enumerate(cuts, start=1):
        if not torch.allclose(losses[:, n, :cut], losses[:, 0, :cut], atol=TOLERANCE, rtol=TOLERANCE):
            raise ConfigError(
                f"learner: {name} says that it reads left to right (causal_rows), but losses before place {cut} of {T} "
                "change with the tokens from there on"
            )


def _causal(rows: torch.Tensor, targets: torch.Tensor) -> Batch:
    """(B, T) rows whose every position is scored, with the same targets."""
    return Batch(rows, targets.expand_as(rows).clone(), torch.ones(rows.shape), torch.ones(len(rows), dtype=torch.bool))
