"""One body with two heads: classes of the end-task, and masked tokens shared by all auxiliary tasks.

Shapes: B rows, T tokens, S scored positions, d width, C classes, V vocabulary.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.precision import resolved
from curriculum_rl.learners.transformers import models as hf_models
from curriculum_rl.schema.learners import ModelOptions
from tartan_arms.rows import ClassBatch, MaskedBatch, Problem
from tartan_arms.settings import Settings


class TartanModel(nn.Module):
    """A `transformers` masked-LM model whose body also feeds a classification head.

    Attributes:
        body: all parameters of the model below its heads, word embeddings too.
        shared: those of them that no head reads: gradients are compared on these. A tied embedding is left out, or the
            product with the vocabulary would be most of a masked-LM gradient.
        lm_only: the masked-LM head's own parameters.
        end_only: the classification head's.

    Args:
        source: a configuration, a local directory or a hub name (`hf_models.build`).
        problem: its tokenizer and number of classes.
        settings: pooling, dropout and precision.
        seed: of the heads, and of a body that is made from a configuration.
        device: where it is.

    Raises:
        ConfigError: for a model that cannot be built, or has no single masked-LM head beside its body.
    """

    def __init__(
        self, source: str | Mapping[str, Any], problem: Problem, settings: Settings, *, seed: int, device: torch.device
    ) -> None:
        super().__init__()
        options = ModelOptions(precision=settings.precision, dropout=settings.dropout)
        self.language = hf_models.build(
            source, head="masked", vocabulary=problem.tokenizer, seed=key(seed, "weights") >> 1, options=options
        )
        beside = [child for child in self.language.children() if child is not self.language.base_model]
        if len(beside) != 1:
            raise ConfigError(f"model {source!r}: {len(beside)} modules beside the body, a masked-LM head is one")
        self._lm_head = beside[0]
        self._pad, self._settings, self._device = problem.tokenizer.pad_id, settings, device
        self._classes, self._width = problem.classes, int(self.language.config.hidden_size)
        self.end_head = self.fresh_head(key(seed, "end head") >> 1)
        self.to(device)
        self._bfloat16 = resolved(settings.precision, device) == "bfloat16"
        self.body = list(self.language.base_model.parameters())
        ours, theirs = set(self.body), set(self._lm_head.parameters())
        self.shared = [p for p in self.body if p not in theirs]
        self.lm_only = [p for p in self._lm_head.parameters() if p not in ours]
        self.end_only = list(self.end_head.parameters())
        self.flops_body, self.flops_lm = self._counted()

    def fresh_head(self, seed: int) -> nn.Module:
        """A classification head with weights of a seed: dropout, Linear, tanh, Linear.

        Source: the classifier of github.com/ldery/TARTAN.
        """
        p = 0.1 if self._settings.dropout else 0.0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            layers = (
                nn.Dropout(p),
                nn.Linear(self._width, self._width),
                nn.Tanh(),
                nn.Linear(self._width, self._classes),
            )
        return nn.Sequential(*layers).to(self._device)

    def states(self, ids: Tensor) -> Tensor:
        """(B, T, d) float32 last hidden states of (B, T) tokens."""
        mask = (ids != self._pad).long()
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bfloat16):
            found: Tensor = self.language.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
        return found.float()

    def pooled(self, ids: Tensor) -> Tensor:
        """(B, d) what a classification head reads."""
        states = self.states(ids)
        if self._settings.pool == "cls":
            return states[:, 0]
        present = (ids != self._pad).float()[..., None]
        return (states * present).sum(dim=1) / present.sum(dim=1)

    def class_loss(self, batch: ClassBatch, head: nn.Module | None = None) -> Tensor:
        """Mean nats of the classes, by the end-task's head or another."""
        chosen = self.end_head if head is None else head
        return F.cross_entropy(chosen(self.pooled(batch.ids)), batch.labels)

    def masked_loss(self, batch: MaskedBatch) -> Tensor:
        """Mean nats of the hidden tokens."""
        return self.masked_loss_of(self.states(batch.ids).flatten(0, 1)[batch.places], batch.targets)

    def masked_loss_of(self, states: Tensor, targets: Tensor) -> Tensor:
        """The same from (S, d) states at the hidden places and (S,) tokens."""
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bfloat16):
            logits = self._lm_head(states)
        return F.cross_entropy(logits.float(), targets)

    def start_lm_head(self, counts: Tensor) -> None:
        """Let the masked-LM head's bias be the log frequencies of (V,) token counts, half a count added."""
        bias = self.language.get_output_embeddings().bias
        shares = (counts + 0.5) / (counts + 0.5).sum()
        with torch.no_grad():
            bias.copy_(shares.log().to(bias))

    @contextmanager
    def training_with(self, seed: int) -> Iterator[None]:
        """Dropout from a seed for the length of a block; torch's own generator is left as it was."""
        devices = [self._device] if self._device.type == "cuda" else []
        try:
            with torch.random.fork_rng(devices=devices):
                torch.manual_seed(seed)
                self.train()
                yield
        finally:
            self.eval()

    @torch.no_grad()
    def _counted(self) -> tuple[float, float]:
        """Forward operations of matrix products: for a token of the body, for a scored token of the LM head."""
        self.eval()
        ids = torch.full((1, self._settings.context), self._pad, device=self._device)
        # The counter knows products, not fused attention on a CPU.
        try:
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as body:
                self.language.base_model(input_ids=ids)
        except (IndexError, RuntimeError) as error:
            raise ConfigError(f"the model cannot read a row of context {ids.shape[1]}: {error}") from error
        with FlopCounterMode(display=False) as head:
            self._lm_head(torch.zeros(1, self._width, device=self._device))
        return float(body.get_total_flops()) / ids.shape[1], float(head.get_total_flops())


def copied(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Copies of parameters, to go back to."""
    return [p.detach().clone() for p in parameters]


@torch.no_grad()
def put_back(parameters: Iterable[Tensor], saved: Iterable[Tensor]) -> None:
    """Undo with `copied`."""
    for parameter, value in zip(parameters, saved, strict=True):
        parameter.copy_(value)
