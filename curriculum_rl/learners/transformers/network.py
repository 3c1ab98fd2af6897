"""One `transformers` model as something that reads batches and has gradients, without an optimizer.

Shapes: B rows, b rows of a part, T tokens, M = b T positions, R scored positions, d width, C labels, V vocabulary.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from curriculum_rl.batch import Batch, Pool
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.scoring import scored_positions
from curriculum_rl.learners.transformers.library import first_line
from curriculum_rl.learners.transformers.models import Vocabulary
from curriculum_rl.learners.transformers.reader import HFReader
from curriculum_rl.schema.learners import Head, ModelOptions, Precision

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
        labels: (L,) the tokens that the model's `label_head` answers with; none: it has no such head.
        whole_rows: whether padding at the end of all rows is read, too: of a model that does not heed its mask.
    """

    model: Any
    head: Head
    vocabulary: Vocabulary
    options: ModelOptions
    precision: Precision
    device: torch.device
    labels: Sequence[int] = ()
    whole_rows: bool = False
    _reader: HFReader = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_reader", HFReader(self.model, self.labels))

    def logits(self, input_ids: Tensor, columns: Tensor | None = None) -> Tensor:
        """(b, T, V) float32 logits of (b, T) ids, or (b, T, C) of the tokens `columns`."""
        ids = input_ids[:, : self._longest(input_ids)]
        with self._autocast():
            read: Tensor = self._reader(ids, self._mask(ids), columns)
        return F.pad(_wide(read), (0, 0, 0, input_ids.shape[1] - ids.shape[1]))

    def _logits_at(
        self,
        input_ids: Tensor,
        index: Tensor,
        columns: Tensor | None = None,
        values: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """(R, V) or (R, C) logits at the positions `index` (R,) of b T; `values` replace parameters, by name."""
        T, longest = input_ids.shape[1], self._longest(input_ids)
        ids = input_ids[:, :longest]
        # Positions behind the longest row are not scored: any will do.
        places = index // T * longest + (index % T).clamp(max=longest - 1)
        with self._autocast():
            if values is None:
                return _wide(self._reader(ids, self._mask(ids), columns, places))
            return _wide(self._reader.replaced(values, ids, self._mask(ids), columns, places))

    def plain_logits(self, input_ids: Tensor, index: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """(R, V) float32 logits at positions (R,) of b T: all padding read, products in float32; `values` as above."""
        return _wide(self._reader.replaced(values, input_ids, self._mask(input_ids), None, index))

    def _longest(self, input_ids: Tensor) -> int:
        """Tokens of the longest row before its padding, in eights: what follows in all rows need not be read."""
        if self.whole_rows:
            return input_ids.shape[1]
        present = (input_ids != self.vocabulary.pad_id).any(dim=0).nonzero()
        longest = int(present[-1]) + 1 if len(present) else 1
        return min(-(-longest // 8) * 8, input_ids.shape[1])

    def _mask(self, input_ids: Tensor) -> Tensor | None:
        if self.head != "masked":
            return None
        mask = (input_ids != self.vocabulary.pad_id).long()
        mask[:, 0] = 1  # a row of padding alone still needs one key
        return mask

    def _autocast(self) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")

    def operations_per_token(self, context: int) -> float:
        """Operations of the matrix products of a forward pass, counted on one full row.

        Raises:
            ConfigError: where the model cannot read a row of that many tokens.
        """
        limit = getattr(self.model.config, "max_position_embeddings", None)
        if limit is not None and 0 < limit < context:  # XLNet's is -1: there is no end
            raise ConfigError(f"context {context} is longer than the model's max_position_embeddings {limit}")
        ids = torch.full((1, context), self.vocabulary.eos_id, device=self.device)
        # The counter knows products, not fused attention on a CPU.
        try:
            with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                found = self.logits(ids).shape[-1]
        except (IndexError, RuntimeError) as error:
            reason = first_line(error)
            raise ConfigError(f"the model cannot read a row of context {context} tokens: {reason}") from error
        if found != self.vocabulary.vocab_size:
            raise ConfigError(
                f"learner.model: answers with one of {found} tokens, the tokenizer has {self.vocabulary.vocab_size}: "
                "a configuration inside the configuration has a vocab_size of its own"
            )
        return float(counter.get_total_flops()) / context

    def label_operations_per_token(self, leaves: Mapping[str, Tensor], context: int) -> float:
        """Operations of the gradient of some parameters, by name, on one full row of labels alone."""
        ids = torch.full((1, context), self.vocabulary.eos_id, device=self.device)
        columns = torch.tensor(self.labels, device=self.device)
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            torch.autograd.grad(self.logits(ids, columns).sum(), list(leaves.values()), allow_unused=True)
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
            leaves: some of the model's parameters by name; gradients are made of these.
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
        with self.training(seed):
            for part, limit in enumerate(limits):
                chosen = slice(part * rows, (part + 1) * rows)
                loss, read = self.loss(batch[chosen], shares[chosen], limit, smoothing, label_ids)
                slopes = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
                for (name, leaf), slope in zip(leaves.items(), slopes, strict=True):
                    here = torch.zeros_like(leaf) if slope is None else slope.contiguous()
                    total[name] = total[name].add_(here) if part else here
                nats.append(read)
        return total, torch.cat(nats) * B

    def loss(
        self,
        batch: Batch,
        shares: Tensor,
        limit: int | None,
        smoothing: float,
        label_ids: Tensor | None,
        values: Mapping[str, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The loss of a part, and the (b,) nats of its rows, weighted; `values` replace parameters, by name.

        The other arguments are as in `gradients`.
        """
        weights = shares.flatten()
        index = scored_positions(weights[None], limit)[0]
        logits = self._logits_at(batch.input_ids, index, label_ids, values)
        nll = F.cross_entropy(logits, batch.targets.flatten()[index], reduction="none") * weights[index]
        nats = nll.new_zeros(weights.shape).scatter_(0, index, nll.detach()).view(shares.shape).sum(dim=1)
        loss = nll.sum()
        if smoothing:
            uniform = (logits.logsumexp(dim=1) - logits.mean(dim=1)) * weights[index]
            loss = torch.lerp(loss, uniform.sum(), smoothing)
        return loss, nats

    @contextmanager
    def training(self, seed: tuple[int, int] | None) -> Iterator[None]:
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
            index = part.weights.flatten().nonzero().squeeze(1)
            logits = self._logits_at(part.input_ids, index)
            nll = F.cross_entropy(logits, part.targets.flatten()[index], reduction="none")
            return nll.new_zeros(part.weights.numel()).scatter_(0, index, nll).view(part.weights.shape)

        return self._in_parts(batch, losses)

    def features(self, batch: Batch) -> Tensor:
        """(B, d) mean of the last hidden state over each row's tokens that are not padding."""
        return self.states(batch, "mean")

    def states(self, batch: Batch, pool: Pool) -> Tensor:
        """(B, d) what a head reads of a (B, T) batch."""
        return self._in_parts(batch, lambda part: self.pooled(part, pool))

    def pooled(self, batch: Batch, pool: Pool) -> Tensor:
        """(b, d) the same of a (b, T) batch on the device, with a gradient."""
        mask = self._mask(batch.input_ids)
        with self._autocast():
            read = self.model(input_ids=batch.input_ids, attention_mask=mask, output_hidden_states=True)
        states = read.hidden_states[-1].float()
        if pool == "cls":
            scored: Tensor = states[torch.arange(len(states), device=self.device), batch.weights.argmax(dim=1)]
            return scored
        present = (batch.input_ids != self.vocabulary.pad_id).float()[..., None]
        total: Tensor = (states * present).sum(dim=1)
        return total / present.sum(dim=1).clamp_min(1.0)

    def label_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(B, C) logits of the tokens `label_ids` (C,) at each row's one scored position."""
        columns = label_ids.to(self.device)

        def logits(part: Batch) -> Tensor:
            b, T = part.weights.shape
            index = torch.arange(b, device=self.device) * T + part.weights.argmax(dim=1)
            return self._logits_at(part.input_ids, index, columns)

        return self._in_parts(batch, logits)

    def tag_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(B, T, C) logits of the tokens `label_ids` (C,) at every position."""
        columns = label_ids.to(self.device)
        return self._in_parts(batch, lambda part: self.logits(part.input_ids, columns))

    @torch.no_grad()
    def _in_parts(self, batch: Batch, read: Callable[[Batch], Tensor]) -> Tensor:
        """Apply `read` to a few rows (b, T) at a time and join the results."""
        step = max(1, EVALUATION_LOGITS // (batch.input_ids.shape[1] * self.vocabulary.vocab_size))
        starts = range(0, batch.input_ids.shape[0], step)
        return torch.cat([read(batch[start : start + step].to(self.device)) for start in starts])


def _wide(logits: Tensor) -> Tensor:
    """At least float32."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
