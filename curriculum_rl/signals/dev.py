"""META-TARTAN's dev examples: what tasks' gradients are compared with inside weighted updates, and what that costs.

Shapes: k updates, N replicas, K tasks, R examples of a head's fit, B rows of a batch, T tokens.
"""

from collections.abc import Sequence

import numpy as np
import torch

from curriculum_rl.batch import Batch, Dev, HeadFit
from curriculum_rl.draws import key, window_of
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.objectives import Classification
from curriculum_rl.proxies.base import Price
from curriculum_rl.proxies.examples import labelled_batch, without_labels
from curriculum_rl.schema.methods import TartanMethod
from curriculum_rl.signals.base import Floats
from curriculum_rl.signals.windows import Windows


class DevExamples:
    """Draws the dev examples of every update from the target's signal split, and makes `products` of what they show.

    An update's examples are the first ones of an order that follows from the seed and the update's number: those that
    the head is fitted on and those whose gradient is taken are different ones. They are read the way that the first
    classification task reads, or as the learner does where there is none, with their labels hidden.

    Args:
        windows: tasks, target, sizes, and the learner whose updates listen.
        settings: of the method.

    Raises:
        ConfigError: where the target has no labels or too few examples.

    Attributes:
        price: of an update's listening.
    """

    def __init__(self, windows: Windows, settings: TartanMethod) -> None:
        problem, config, learner = windows.problem, windows.config, windows.learner
        problem.target.require_labels("signals: 'products' under method.kind 'tartan'")
        self._corpus = problem.target.labelled["signal"]
        self._context, self._rows, self._settings = config.context, (settings.dev_head_rows, config.batch), settings
        wanted, found = sum(self._rows), self._corpus.size(config.context)
        if wanted > found:
            raise ConfigError(
                f"method.dev_head_rows: {settings.dev_head_rows} and the {config.batch} rows of a batch are {wanted} "
                f"different examples, the target's signal split has {found}"
            )
        ways = [task.objective.causal for task in problem.tasks if isinstance(task.objective, Classification)]
        self._objective = Classification(problem.tokenizer, causal=ways[0] if ways else learner.causal_rows)
        self._pad = problem.tokenizer.pad_id
        self._fit = HeadFit(
            classes=len(self._corpus.classes),
            pool=settings.dev_head_pool,
            rate=settings.dev_head_rate,
            decay=settings.dev_head_decay,
            betas=settings.dev_head_betas,
            steps=settings.dev_head_steps,
            tolerance=settings.dev_head_tolerance,
        )
        self.price = self._price(learner, len(problem.tasks))

    def _price(self, learner: Learner, tasks: int) -> Price:
        """A forward pass of what the head is fitted on, a training pass of the others, K products and K + 1 lengths."""
        support, query = (rows * self._context for rows in self._rows)
        products = 2.0 * (2 * tasks + 1) * learner.size
        flops = learner.flops(support, training=False) + learner.flops(query, training=True) + products
        return Price(support + query, flops)

    def draw(self, seeds: Sequence[int], *, first: int, updates: int) -> Dev:
        """The examples of k updates; `first` counts those before them."""
        size, count = self._corpus.size(self._context), sum(self._rows)
        index = np.stack(
            [
                [window_of(key(seed, "dev examples", number), np.arange(count), size) for seed in seeds]
                for number in range(first, first + updates)
            ]
        )
        support, query = index[..., : self._rows[0]], index[..., self._rows[0] :]
        return Dev(
            self._batch(support),
            torch.from_numpy(self._corpus.labels[support]),
            self._batch(query),
            torch.from_numpy(self._corpus.labels[query]),
            self._fit,
        )

    def _batch(self, index: np.ndarray) -> Batch:
        """(k, N, R, T) rows of as many examples, without their labels."""
        return without_labels(labelled_batch(self._corpus, index, self._objective, self._context), self._pad)

    @staticmethod
    def products(alignments: Floats) -> Floats:
        """(N, K+1, K+1) products of unit gradients, the target's last, of (k, N, K) cosines with the target's.

        They are the means over the updates. How the tasks' gradients meet each other is not measured and stands as 0;
        so does what was not finite.
        """
        met = np.nan_to_num(alignments.mean(axis=0), nan=0.0, posinf=0.0, neginf=0.0)
        found = np.tile(np.eye(met.shape[1] + 1), (len(met), 1, 1))
        found[:, :-1, -1] = found[:, -1, :-1] = met
        return found
