"""Losses of fixed windows, for report, proxies and signals. Shapes: N replicas, K tasks, S windows, T tokens."""

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import Batch
from curriculum_rl.learners.base import Learner

Floats = npt.NDArray[np.float64]


def mean_loss(learner: Learner, batch: Batch) -> Floats:
    """(N,) nats per scored token of an (N, S, T) batch."""
    total = learner.token_losses(batch).double().sum(dim=(1, 2))
    return np.asarray((total / batch.weights.to(total.device).double().sum(dim=(1, 2))).cpu().numpy())


def losses_by_task(learner: Learner, batch: Batch, tasks: int) -> Floats:
    """(N, K) nats per scored token of an (N, K S, T) batch that holds the windows task by task; 0 without any."""
    nats = learner.token_losses(batch).double().cpu()
    shape = (len(nats), tasks, -1)
    scored = batch.weights.double().cpu().reshape(shape).sum(dim=2)
    losses: Floats = (nats.reshape(shape).sum(dim=2) / scored.clamp(min=1)).numpy()
    return losses
