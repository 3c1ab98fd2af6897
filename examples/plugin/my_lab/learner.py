"""A learner: here the native one with another start. One from scratch has all of `curriculum_rl.learners.base.Learner`.

Any model of `transformers` needs no code: `learner: {kind: transformers, model: ...}`.
"""

from collections.abc import Sequence

from curriculum_rl.errors import wrong
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema.learners import OptimizerConfig
from curriculum_rl.text.tokenizers import Tokenizer


class SmallStart(BatchedLearner):
    """Small transformers whose first parameters are smaller than usual.

    Args:
        tokenizer: given by the environment, as are the next three.
        config: of the environment.
        optimizer: its settings.
        replicas: N, trained side by side.
        scale: of the first parameters, > 0; 1 is as usual.
        layers: of each.
        width: of each, a multiple of `heads`.
        heads: of each layer.
    """

    def __init__(
        self,
        *,
        tokenizer: Tokenizer,
        config: EnvConfig,
        optimizer: OptimizerConfig,
        replicas: int,
        scale: float = 0.5,
        layers: int = 1,
        width: int = 32,
        heads: int = 2,
    ) -> None:
        if not scale > 0:
            raise wrong("learner.scale", scale, "above 0")
        self.scale = scale
        size = TransformerConfig(
            vocab_size=tokenizer.vocab_size, context=config.context, layers=layers, width=width, heads=heads
        )
        super().__init__(size, optimizer, replicas=replicas, pad_id=tokenizer.pad_id, device=config.device)

    def reset(self, seeds: Sequence[int], rows: Sequence[int] | None = None) -> None:
        """Fresh parameters from their own seeds for all replicas, or only those in `rows`."""
        super().reset(seeds, rows)
        for block in self.flat.parameters.values():
            block[list(range(self.replicas) if rows is None else rows)] *= self.scale
