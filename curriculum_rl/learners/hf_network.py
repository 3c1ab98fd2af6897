"""One `transformers` model as something that reads batches and has gradients, without an optimizer.

Shapes: B rows, b rows of a part, T tokens, M = b T positions, R scored positions, d width, C labels, V vocabulary.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from curriculum_rl.batch import Batch
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.hf_models import Head, Options, Vocabulary
from curriculum_rl.learners.precision import Precision
from curriculum_rl.learners.scoring import scored_positions

# Logits that are alive at a time without gradients.
EVALUATION_LOGITS = 1 << 25


@dataclass(frozen=True)
class HFNetwork:
    """How a model turns a batch into losses, gradients and features.

    Attributes:
        model: the module, in evaluation mode.
        head: `masked` models are told where the padding is.
        vocabulary: the tokenizer.
        options: dropout and gradient checkpointing.
        precision: of the products; logits and losses are float32.
        device: where the module is.
    """

    model: Any
    head: Head
    vocabulary: Vocabulary
    options: Options
    precision: Precision
    device: torch.device

    def forward(self, input_ids: Tensor, *, hidden: bool = False) -> Any:
        """The model's output for (b, T) ids."""
        mask = None
        if self.head == "masked":
            mask = (input_ids != self.vocabulary.pad_id).long()
            mask[:, 0] = 1  # a row of padding alone still needs one key
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"):
            return self.model(input_ids=input_ids, attention_mask=mask, output_hidden_states=hidden)

    def operations_per_token(self, context: int) -> float:
        """Operations of the matrix products of a forward pass, counted on one full row.

        Raises:
            ConfigError: where the model cannot read a row of that many tokens.
        """
        limit = getattr(self.model.config, "max_position_embeddings", None)
        if limit is not None and context > limit:
            raise ConfigError(f"context {context} is longer than the model's max_position_embeddings {limit}")
        ids = torch.full((1, context), self.vocabulary.eos_id, device=self.device)
        # The counter knows products, not fused attention on a CPU.
        try:
            with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                self.forward(ids)
        except (IndexError, RuntimeError) as error:
            raise ConfigError(f"the model cannot read a row of context {context} tokens: {error}") from error
        return float(counter.get_total_flops()) / context

    def gradients(
        self,
        leaves: Mapping[str, Tensor],
        batch: Batch,
        shares: Tensor,
        limits: Sequence[int | None],
        *,
        smoothing: float = 0.0,
        seed: tuple[int, int] | None = None,
        label_ids: Tensor | None = None,
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Gradients of the loss of an update, and the losses of its rows.

        Args:
            leaves: the model's parameters by name.
            batch: (B, T) on the device; with `label_ids` its targets are places among these.
            shares: (B, T) of `token_weights`.
            limits: for each part in which the rows are processed, positions to score; None for all.
            smoothing: of the labels.
            seed: of the replica, and the update's number: dropout follows from both; None: no dropout.
            label_ids: (C,) the tokens among which targets are chosen; None: the whole vocabulary.

        Returns:
            (*shape) contiguous by name, and (B,) nats per scored token, not smoothed.
        """
        B = batch.input_ids.shape[0]
        rows = B // len(limits)
        total: dict[str, Tensor] = {}
        nats = []
        with self._training(seed):
            for part, limit in enumerate(limits):
                chosen = slice(part * rows, (part + 1) * rows)
                loss, read = self._loss(batch[chosen], shares[chosen], limit, smoothing, label_ids)
                slopes = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
                for (name, leaf), slope in zip(leaves.items(), slopes, strict=True):
                    here = torch.zeros_like(leaf) if slope is None else slope.contiguous()
                    total[name] = total[name].add_(here) if part else here
                nats.append(read)
        return total, torch.cat(nats) * B

    def gradients_after(
        self,
        leaves: Mapping[str, Tensor],
        reads: Sequence[tuple[Batch, Tensor, Sequence[int | None]]],
        *,
        depth: int,
        rate: float,
        smoothing: float,
        seed: tuple[int, int],
        label_ids: Tensor | None = None,
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Gradients where inner steps lead, and the losses of the rows of every batch.

        Args:
            leaves: the model's parameters by name; their data is that of a copy afterwards where there are steps.
            reads: m batches with what `gradients` wants of each; the result is the mean over the last m - depth.
            depth: inner steps.
            rate: of these.
            smoothing: of the labels.
            seed: of the replica, and the update's number; the last batch drops what that of a plain update does.
            label_ids: as in `gradients`.
        """
        if depth:
            for leaf in leaves.values():
                leaf.data = leaf.data.clone()
        total: dict[str, Tensor] = {}
        nats, last = [], len(reads) - 1
        for j, (batch, shares, limits) in enumerate(reads):
            drawn = seed if j == last else (key(*seed, "inner"), j)
            slopes, losses = self.gradients(
                leaves, batch, shares, limits, smoothing=smoothing, seed=drawn, label_ids=label_ids
            )
            nats.append(losses)
            if j < depth:
                for name, leaf in leaves.items():
                    leaf.data.sub_(slopes[name], alpha=rate)
                continue
            for name, slope in slopes.items():
                part = slope.div_(len(reads) - depth)
                total[name] = total[name].add_(part) if name in total else part
        return total, nats

    def _loss(
        self, batch: Batch, shares: Tensor, limit: int | None, smoothing: float, label_ids: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The loss of a part, and the (b,) nats of its rows, weighted."""
        weights = shares.flatten()
        index = scored_positions(weights[None], limit)[0]
        logits = self.forward(batch.input_ids).logits.flatten(0, 1).index_select(0, index).float()
        logits = logits if label_ids is None else logits.index_select(1, label_ids)
        nll = F.cross_entropy(logits, batch.targets.flatten()[index], reduction="none") * weights[index]
        nats = torch.zeros_like(weights).scatter_(0, index, nll.detach()).view(shares.shape).sum(dim=1)
        loss = nll.sum()
        if smoothing:
            uniform = (logits.logsumexp(dim=1) - logits.mean(dim=1)) * weights[index]
            loss = torch.lerp(loss, uniform.sum(), smoothing)
        return loss, nats

    @contextmanager
    def _training(self, seed: tuple[int, int] | None) -> Iterator[None]:
        """Dropout and gradient checkpointing as the options say, for the length of one update."""
        if seed is None or not (self.options.dropout or self.options.gradient_checkpointing):
            yield
            return
        try:
            with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
                torch.manual_seed(key(seed[0], "dropout", seed[1]))
                self.model.train()  # without `options.dropout` its probabilities are 0
                yield
        finally:
            self.model.eval()

    def token_losses(self, batch: Batch) -> Tensor:
        """(B, T) nats of each scored token and 0 elsewhere."""

        def losses(part: Batch) -> Tensor:
            logits = self.forward(part.input_ids).logits.float()
            nll = F.cross_entropy(logits.flatten(0, 1), part.targets.flatten(), reduction="none")
            return torch.where(part.weights != 0, nll.view(part.weights.shape), 0.0)

        return self._in_parts(batch, losses)

    def features(self, batch: Batch) -> Tensor:
        """(B, d) mean of the last hidden state over each row's tokens that are not padding."""

        def means(part: Batch) -> Tensor:
            states = self.forward(part.input_ids, hidden=True).hidden_states[-1].float()
            present = (part.input_ids != self.vocabulary.pad_id).float()[..., None]
            total: Tensor = (states * present).sum(dim=1)
            return total / present.sum(dim=1).clamp_min(1.0)

        return self._in_parts(batch, means)

    def label_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(B, C) logits of the tokens `label_ids` (C,) at each row's one scored position."""
        columns = label_ids.to(self.device)

        def logits(part: Batch) -> Tensor:
            rows = torch.arange(part.weights.shape[0], device=self.device)
            read: Tensor = self.forward(part.input_ids).logits
            return read[rows, part.weights.argmax(dim=1)].float()[:, columns]

        return self._in_parts(batch, logits)

    @torch.no_grad()
    def _in_parts(self, batch: Batch, read: Callable[[Batch], Tensor]) -> Tensor:
        """Apply `read` to a few rows (b, T) at a time and join the results."""
        step = max(1, EVALUATION_LOGITS // (batch.input_ids.shape[1] * self.vocabulary.vocab_size))
        starts = range(0, batch.input_ids.shape[0], step)
        return torch.cat([read(batch[start : start + step].to(self.device)) for start in starts])
