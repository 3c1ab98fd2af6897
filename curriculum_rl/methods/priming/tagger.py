"""A `transformers` backbone with added parameters and a token head, as something whose parts train apart.

Shapes: B rows, T tokens, C tags, d width.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from curriculum_rl.draws import key
from curriculum_rl.learners import hf_models
from curriculum_rl.methods.priming.adapters import PE, add_adapters, add_lora
from curriculum_rl.methods.priming.rows import IGNORED, TagBatch
from curriculum_rl.methods.priming.settings import Settings

Tensors = dict[str, Tensor]


class Tagger(nn.Module):
    """Tags for tokens. Nothing is dropped in training.

    Attributes:
        body: the backbone's parameters by their name in this module.
        light: what parameter-efficient tuning trains, PE parameters and head, by name.
        device: where it is.

    Args:
        source: the backbone: a directory that a learner is in, a hub name or a configuration (`hf_models.build`).
        vocabulary: the tokenizer; the embedding gets its size.
        tags: C.
        pe: what is added to the backbone; `head`: nothing.
        settings: sizes of what is added.
        seed: of PE parameters, head, and a backbone that is made from a configuration.
        device: where it is.

    Raises:
        ConfigError: for a backbone that cannot be built or has no place for the PE parameters.
    """

    def __init__(
        self,
        source: str | Path | Mapping[str, Any],
        vocabulary: hf_models.Vocabulary,
        *,
        tags: int,
        pe: PE,
        settings: Settings,
        seed: int,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        found = str(source) if isinstance(source, Path) else source
        own = key(seed, "weights") >> 1
        self.backbone = hf_models.build(found, head="masked", vocabulary=vocabulary, seed=own).base_model
        plain = {id(p): name for name, p in self.backbone.named_parameters()}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key(seed, "light") >> 1)
            self.head = nn.Linear(int(self.backbone.config.hidden_size), tags)
            if pe == "adapter":
                add_adapters(self.backbone, size=settings.adapter, modules=settings.adapted)
            elif pe == "lora":
                modules = settings.lora_modules.split(",")
                add_lora(self.backbone, rank=settings.lora_rank, alpha=settings.lora_alpha, modules=modules)
        self.device = torch.device(device)
        self.to(self.device)
        self._pad, self._context, self._order = vocabulary.pad_id, settings.context, settings.order
        self.requires_grad_(True)
        named = dict(self.named_parameters())
        self._plain = {name: plain[id(p)] for name, p in named.items() if id(p) in plain}
        self.body = {name: p for name, p in named.items() if name in self._plain}
        self.light = {name: p for name, p in named.items() if name not in self._plain}
        self._flops: dict[bool, float] = {}

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T, C) logits of (B, T) tokens."""
        mask = (ids != self._pad).long()
        logits: Tensor = self.head(self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state)
        return logits

    def loss(self, batch: TagBatch, replaced: Mapping[str, Tensor] | None = None) -> Tensor:
        """Mean nats of the tags of words, with other values for some parameters."""
        logits = self(batch.ids) if replaced is None else functional_call(self, dict(replaced), (batch.ids,))
        return F.cross_entropy(logits.flatten(0, 1), batch.tags.flatten(), ignore_index=IGNORED)

    def attention(self) -> AbstractContextManager[Any]:
        """Where second derivatives are wanted: attention that has them; otherwise nothing."""
        return sdpa_kernel(SDPBackend.MATH) if self._order == 2 else nullcontext()

    def state(self) -> Tensors:
        """A copy of the backbone's parameters by their name in a backbone without PE parameters, on the CPU."""
        return {self._plain[name]: p.detach().cpu().clone() for name, p in self.body.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Put back what `state` gave, whatever PE parameters that tagger had."""
        with torch.no_grad():
            for name, p in self.body.items():
                p.copy_(state[self._plain[name]])

    def flops(self, batch: TagBatch, *, everything: bool) -> float:
        """Counted operations of a loss and its gradient, of everything or of PE parameters and head alone.

        Products of a full row are counted once, forwards and backwards; a batch pays by its tokens, padding too.
        """
        if everything not in self._flops:
            self._flops[everything] = self._counted(everything) / self._context
        return self._flops[everything] * batch.ids.numel()

    def full_row(self, rows: int) -> TagBatch:
        """Rows of `context` tokens with nothing in them, to be counted."""
        ids = torch.full((rows, self._context), self._pad + 1, device=self.device)
        return TagBatch(ids, torch.zeros_like(ids))

    def _counted(self, everything: bool) -> float:
        trained = {**self.body, **self.light} if everything else self.light
        frozen = {} if everything else {name: p.detach() for name, p in self.body.items()}
        # The counter knows products, not fused attention on a CPU.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            torch.autograd.grad(self.loss(self.full_row(1), frozen), list(trained.values()), allow_unused=True)
        return float(counter.get_total_flops())
