"""A learner around any `transformers` model for causal or masked language modelling.

Shapes: k updates, B rows, T tokens, M = B T positions, R scored positions, V vocabulary, d width; N is 1.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from curriculum_rl.batch import Batch, SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners import hf_models
from curriculum_rl.learners.base import Snapshot, check_plan, for_all_replicas, segment_report
from curriculum_rl.learners.flat import FlatParams, OptimizerConfig, clip_by_norm
from curriculum_rl.learners.scoring import scored_limits, scored_positions, token_weights

# Positions whose loss is taken are rounded up to this many; the logits that are alive at a time without gradients.
CHUNK = 64
EVALUATION_LOGITS = 1 << 25


class TransformersLearner:
    """One `transformers` model as a learner; dropout is off, so that the same plan gives the same model.

    Args:
        model: a configuration (`{"model_type": "llama", "hidden_size": 64, ...}`: fresh weights from the seed), a local
            directory or a hub name (its weights; safetensors only, remote code is never run).
        optimizer: AdamW's settings; vectors (biases, gains) are not decayed.
        head: `causal` reads rows from left to right, `masked` in both directions; rows of the other kind are refused.
        tokenizer: the embedding is resized to its `vocab_size`.
        context: T, the longest row; the model is tried on one such row at once.
        replicas: must be 1.
        device: where the model is.
        explosion: an update whose loss is above this many times ln V marks the learner as not finite.

    Raises:
        ConfigError: for a model that cannot be built, is too short for the context, or more than one replica.
    """

    replicas = 1

    def __init__(
        self,
        model: str | Mapping[str, Any],
        optimizer: OptimizerConfig | None = None,
        *,
        head: hf_models.Head = "causal",
        tokenizer: hf_models.Vocabulary,
        context: int,
        replicas: int = 1,
        device: torch.device | str = "cpu",
        explosion: float = 5.0,
    ) -> None:
        if replicas != 1:
            raise ConfigError(f"a transformers learner has 1 replica, not {replicas}: use learner.kind transformer")
        self.optimizer = OptimizerConfig() if optimizer is None else optimizer
        self.source = model
        self.vocabulary = tokenizer
        self.head = head
        self.context = context
        self.vocab_size = tokenizer.vocab_size
        self.pad_id = tokenizer.pad_id
        self.device = torch.device(device)
        self.explosion = explosion
        self.causal_rows = head == "causal"
        self.bidirectional_rows = head == "masked"
        self.model = self._built(seed=0).to(self.device)
        self.flat = self._flattened()
        self._first_weights = self.flat.snapshot().state[0].cpu() if isinstance(model, str) else None
        self._flops_per_token = self._tried()

    def _built(self, *, seed: int) -> Any:
        return hf_models.build(self.source, head=self.head, vocabulary=self.vocabulary, seed=seed).eval()

    def _flattened(self) -> FlatParams:
        """Move the model's parameters into one flat buffer, of which they become views."""
        named = {name: parameter for name, parameter in self.model.named_parameters() if parameter.requires_grad}
        flat = FlatParams(
            {name: tuple(parameter.shape) for name, parameter in named.items()},
            replicas=1,
            device=self.device,
            undecayed=[name for name, parameter in named.items() if parameter.dim() < 2],
        )
        for name, parameter in named.items():
            flat.parameters[name][0].copy_(parameter.detach())
            parameter.data = flat.parameters[name][0]
        self._leaves = named
        return flat

    def _tried(self) -> float:
        """Read one full row, and count the operations of the matrix products per token."""
        limit = getattr(self.model.config, "max_position_embeddings", None)
        if limit is not None and self.context > limit:
            raise ConfigError(f"context {self.context} is longer than the model's max_position_embeddings {limit}")
        ids = torch.full((1, self.context), self.vocabulary.eos_id, device=self.device)
        # The counter knows products, not fused attention on a CPU.
        try:
            with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                self._forward(ids)
        except (IndexError, RuntimeError) as error:
            raise ConfigError(f"the model cannot read a row of context {self.context} tokens: {error}") from error
        return float(counter.get_total_flops()) / self.context

    def reset(self, seeds: Sequence[int]) -> None:
        """Fresh weights from the seed where the model was given as a configuration, else the loaded ones."""
        if len(seeds) != 1:
            raise ValueError(f"reset needs 1 seed, not {len(seeds)}")
        self.flat.reset_optimizer()
        if self._first_weights is not None:
            self.flat.copy_parameters(self._first_weights)
            return
        fresh = dict(self._built(seed=seeds[0]).named_parameters())
        for name, block in self.flat.parameters.items():
            block[0].copy_(fresh[name].detach())

    def train(self, plan: SegmentPlan) -> SegmentReport:
        """Make k updates; rows that this head cannot read raise ConfigError before the first."""
        check_plan(self, plan)
        self._check_rows(plan.batches)
        limits = scored_limits(plan.batches.weights, CHUNK)
        batches = plan.batches.to(self.device)
        shares = token_weights(batches.weights)
        row_losses, norms = [], []
        for i, limit in enumerate(limits):
            gradients, losses = self._gradients(batches[i, 0], shares[i], limit)
            norms.append(clip_by_norm(gradients, self.optimizer.clip))
            self.flat.adamw(gradients, plan.learning_rates[i], self.optimizer)
            row_losses.append(losses)
        return segment_report(torch.stack(row_losses), torch.stack(norms), self.explosion * log(self.vocab_size))

    def _gradients(self, batch: Batch, shares: Tensor, limit: int | None) -> tuple[dict[str, Tensor], Tensor]:
        """Gradients (1, *shape) by name, and the (1, B) losses of the rows."""
        B, T = batch.input_ids.shape
        weights = shares.reshape(1, B * T)
        index = scored_positions(weights, limit)[0]
        logits = self._forward(batch.input_ids).logits.float().view(B * T, -1).index_select(0, index)
        nll = F.cross_entropy(logits, batch.targets.reshape(-1)[index], reduction="none") * weights[0, index]
        names = list(self._leaves)
        slopes = torch.autograd.grad(nll.sum(), [self._leaves[name] for name in names], allow_unused=True)
        gradients = {
            name: torch.zeros_like(self.flat.parameters[name]) if slope is None else slope[None].contiguous()
            for name, slope in zip(names, slopes, strict=True)
        }
        nats = torch.zeros_like(weights[0]).scatter_(0, index, nll.detach())
        return gradients, nats.view(1, B, T).sum(dim=2) * B

    def _forward(self, input_ids: Tensor, *, hidden: bool = False) -> Any:
        """The model's output for (B, T) ids."""
        mask = None
        if self.head == "masked":
            mask = (input_ids != self.pad_id).long()
            mask[:, 0] = 1  # a row of padding alone still needs one key
        return self.model(input_ids=input_ids, attention_mask=mask, output_hidden_states=hidden)

    def token_losses(self, batch: Batch) -> Tensor:
        """(1, B, T) nats of each scored token and 0 elsewhere, without gradient."""

        def losses(part: Batch) -> Tensor:
            logits = self._forward(part.input_ids).logits.float()
            nll = F.cross_entropy(logits.flatten(0, 1), part.targets.flatten(), reduction="none")
            return torch.where(part.weights != 0, nll.view(part.weights.shape), 0.0)

        return self._in_parts(batch, losses)

    def features(self, batch: Batch) -> Tensor:
        """(1, B, d) mean of the last hidden state over each row's tokens that are not padding, without gradient."""

        def means(part: Batch) -> Tensor:
            states = self._forward(part.input_ids, hidden=True).hidden_states[-1].float()
            present = (part.input_ids != self.pad_id).float()[..., None]
            total: Tensor = (states * present).sum(dim=1)
            return total / present.sum(dim=1).clamp_min(1.0)

        return self._in_parts(batch, means)

    def label_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(1, B, C) logits of the tokens `label_ids` (C,) at each row's one scored position, without gradient."""
        columns = label_ids.to(self.device)

        def logits(part: Batch) -> Tensor:
            rows = torch.arange(part.weights.shape[0], device=self.device)
            read: Tensor = self._forward(part.input_ids).logits
            return read[rows, part.weights.argmax(dim=1)].float()[:, columns]

        return self._in_parts(batch, logits)

    @torch.no_grad()
    def _in_parts(self, batch: Batch, read: Callable[[Batch], Tensor]) -> Tensor:
        """Apply `read` to a few rows (b, T) at a time, join the results and put the replica dimension in front."""
        whole = for_all_replicas(self, batch)
        self._check_rows(whole)
        step = max(1, EVALUATION_LOGITS // (whole.input_ids.shape[2] * self.vocab_size))
        parts = [
            read(whole[0, start : start + step].to(self.device)) for start in range(0, whole.causal.shape[1], step)
        ]
        return torch.cat(parts)[None]

    def _check_rows(self, batch: Batch) -> None:
        readable = batch.causal if self.causal_rows else ~batch.causal
        if not bool(readable.all()):
            kind = "bidirectional (masked LM)" if self.causal_rows else "causal (next-token)"
            raise ConfigError(f"learner.head {self.head!r} cannot read {kind} rows: change the head or the objectives")

    def snapshot(self) -> Snapshot:
        """A real copy of parameters, moments and step counts."""
        return self.flat.snapshot()

    def restore(self, snapshot: Snapshot, rows: Sequence[int] | None = None) -> None:
        """Put a snapshot back, bit for bit; `rows` may be [0] or empty."""
        self.flat.restore(snapshot, rows)

    def reset_optimizer(self) -> None:
        """Zero the moments and step counts; the parameters stay."""
        self.flat.reset_optimizer()

    def flops(self, tokens: int, *, training: bool) -> float:
        """Counted operations of that many tokens of full rows, all scored; training counts 3 forward passes."""
        return self._flops_per_token * tokens * (3 if training else 1)

    def save(self, directory: Path, *, optimizer: bool = False) -> None:
        """Write what `save_pretrained` writes (safetensors), `learner.json` and, if asked, the optimizer's state."""
        directory.mkdir(parents=True, exist_ok=True)
        hf_models.save(self.model, directory)
        if optimizer:
            self.flat.save_optimizer(directory)
        description = {
            "kind": "transformers",
            "head": self.head,
            "context": self.context,
            "optimizer": asdict(self.optimizer),
            "vocabulary": {name: getattr(self.vocabulary, name) for name in ("vocab_size", "pad_id", "eos_id")},
            "explosion": self.explosion,
        }
        (directory / "learner.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


@dataclass
class _SavedVocabulary:
    vocab_size: int
    pad_id: int
    eos_id: int


def load_transformers(directory: Path | str, *, device: torch.device | str = "cpu") -> TransformersLearner:
    """The learner saved in a directory; its `reset` goes back to the saved weights."""
    folder = Path(directory)
    description = json.loads((folder / "learner.json").read_text(encoding="utf-8"))
    learner = TransformersLearner(
        str(folder),
        OptimizerConfig.from_json(description["optimizer"]),
        head=description["head"],
        tokenizer=_SavedVocabulary(**description["vocabulary"]),
        context=description["context"],
        device=device,
        explosion=description["explosion"],
    )
    learner.flat.load_optimizer(folder)
    return learner
