"""N native transformers as one thing that reads batches, without an optimizer.

Shapes: N replicas, B rows, T tokens, R scored positions, d width, V vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from curriculum_rl.batch import Batch
from curriculum_rl.learners.native.dropout import Dropout
from curriculum_rl.learners.native.forward import Body, attention_mask, hidden_states
from curriculum_rl.learners.native.ghost import Tap
from curriculum_rl.learners.native.transformer import TransformerConfig

# What `compile` hands the layers to.
COMPILER = "inductor"


@dataclass
class Network:
    """How parameters turn a batch into hidden states.

    Attributes:
        config: the sizes.
        pad_id: the token that bidirectional rows never read.
        dtype: of the factors of matrix products; everything else is float32.
        compile: whether updates run the layers through `torch.compile`.
    """

    config: TransformerConfig
    pad_id: int
    dtype: torch.dtype = torch.float32
    compile: bool = False
    _body: Body = field(init=False)

    def __post_init__(self) -> None:
        self._body = hidden_states
        if self.compile:
            self._body = torch.compile(hidden_states, backend=COMPILER, dynamic=False)

    def hidden(
        self,
        parameters: Mapping[str, Tensor],
        batch: Batch,
        *,
        causal: bool,
        dropout: Dropout | None = None,
        tap: Tap | None = None,
        differentiable: bool = False,
    ) -> Tensor:
        """(N, B T, d) last hidden states of an (N, B, T) batch, as float32.

        Args:
            parameters: (N, *shape) float32 by name.
            batch: on the parameters' device.
            causal: whether every row is read from left to right.
            dropout: what an update drops.
            tap: which matrices' products tell how the rows' gradients meet given ones.
            differentiable: whether gradients will be differentiated again: slower kernels, never compiled ones.
        """
        mask = None if causal else attention_mask(batch.input_ids, batch.causal, self.pad_id)
        factors = self._factors(parameters)
        if differentiable:
            return hidden_states(factors, self.config, batch.input_ids, mask, dropout, tap, differentiable=True)
        body = self._body if torch.is_grad_enabled() else hidden_states
        return body(factors, self.config, batch.input_ids, mask, dropout, tap)

    def _factors(self, parameters: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        if self.dtype == torch.float32:
            return parameters
        return {
            name: value if name in {"embedding", "position", "head"} else value.to(self.dtype)
            for name, value in parameters.items()
        }
