"""What the logits of a `transformers` model may not depend on, tried when it is built: its head is not believed.

Shapes: T tokens of a row, R positions, V vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.library import quiet
from curriculum_rl.learners.transformers.network import HFNetwork

POSITIONS = 64
"""How many positions of a row are compared, about."""
TOLERANCE = 1e-4
"""Of logits, over their standard deviation."""
SHAPE_TOLERANCE = 1e-3
"""The same between batches of other shapes, which add up in another order."""
NOISE = 0.02
"""Added to every parameter, so that a path shows which begins with zeros or between equal weights."""


def check_leaks(network: HFNetwork, context: int) -> bool:
    """Compare the logits of rows that differ where the model must not look.

    Logits may not depend on random numbers or on other rows; those of a causal model not on later tokens, those of a
    masked one must. Rows are full and random, and cut in several places. An update drops what the options say, and
    nothing else.

    Args:
        network: the model with its head, as it will be trained.
        context: T of the rows.

    Returns:
        Whether the model reads padding behind a row in spite of its mask, as some masked ones do (FNet, MobileBERT).

    Raises:
        ConfigError: for a model that does not do so, with the setting to change.
    """
    with quiet():
        trial = _Trial(network, _random_rows(network, context), _index(context, network.device), _noisy(network))
        wanted = trial.logits(trial.rows[:1])
        if not wanted.isfinite().all():
            trial = _Trial(network, trial.rows, trial.index, {})
            wanted = trial.logits(trial.rows[:1])
        trial.check_rows(wanted)
        trial.check_dropout(wanted)
        if context == 1:
            return False
        if network.head == "causal":
            trial.check_causal(wanted)
            return False
        trial.check_masked(wanted)
        return trial.reads_padding()


@dataclass(frozen=True)
class _Trial:
    """A model with some values for its parameters.

    Attributes:
        network: the model.
        rows: (2, T) random tokens; of the first one is asked what it depends on.
        index: (R,) the positions that are compared.
        values: of parameters, by name; none: its own.
    """

    network: HFNetwork
    rows: Tensor
    index: Tensor
    values: Mapping[str, Tensor]

    @torch.no_grad()
    def logits(self, rows: Tensor, *, draws: int = 0, update: bool = False) -> Tensor:
        """(R, V) of the first row, with torch's generator at `draws`, as an update reads it or as it is scored."""
        index = self.index[self.index < rows.shape[1]]
        with torch.random.fork_rng():
            torch.manual_seed(draws)
            with self.network.training((draws, 0) if update else None):
                return self.network.plain_logits(rows, index, self.values)

    def check_rows(self, wanted: Tensor) -> None:
        """Neither random numbers nor other rows."""
        if _differ(self.logits(self.rows[:1], draws=1), wanted):
            raise ConfigError(f"learner.model: {self._name} draws random numbers while it is scored")
        if _differ(self.logits(self.rows), wanted, SHAPE_TOLERANCE):
            raise ConfigError(f"learner.model: what {self._name} says of a row depends on other rows of the batch")

    def check_causal(self, wanted: Tensor) -> None:
        """Not later tokens, nor padding in their place."""
        T, other = self.rows.shape[1], self.rows[1:]
        padding = torch.full_like(other, self.network.vocabulary.pad_id)
        # Two cuts side by side: one of them is inside a block, where blocks are read in both directions.
        for cut, fill in ((1, other), (T // 2, other), (T // 2 + 1, other), (T - 1, other), (T // 2, padding)):
            if 0 < cut < T and self._moved(wanted, cut, fill):
                raise ConfigError(
                    f"learner.head 'causal': what {self._name} says of a token changes with later ones (from place "
                    f"{cut} of {T} on): set learner.head to masked" + self._or_decoder(False)
                )

    def check_masked(self, wanted: Tensor) -> None:
        """Later tokens."""
        if not self._moved(wanted, self.rows.shape[1] // 2, self.rows[1:]):
            raise ConfigError(
                f"learner.head 'masked': {self._name} reads left to right alone: set learner.head to causal"
                + self._or_decoder(True)
            )

    def reads_padding(self) -> bool:
        """Whether a row with half of it padding is another one than that half alone."""
        row, other = self.rows[:1], self.rows[1:]
        middle = row.shape[1] // 2
        padding = torch.full_like(other, self.network.vocabulary.pad_id)
        shorter = self.logits(row[:, :middle])
        return _differ(self.logits(_cut(row, middle, padding))[: len(shorter)], shorter, SHAPE_TOLERANCE)

    def check_dropout(self, wanted: Tensor) -> None:
        """An update drops if `learner.dropout` says so."""
        options = self.network.options
        if not (options.dropout or options.gradient_checkpointing):
            return
        drops = _differ(self.logits(self.rows[:1], update=True), wanted)
        if drops and not options.dropout:
            raise ConfigError(f"learner.dropout: updates of {self._name} drop, or draw, without it")
        if options.dropout and not drops:
            raise ConfigError(f"learner.dropout: {self._name} is configured to drop nothing: set its own probabilities")

    def _moved(self, wanted: Tensor, cut: int, fill: Tensor) -> bool:
        """Whether logits before a place change with what follows from there on."""
        before = self.index < cut
        return _differ(self.logits(_cut(self.rows[:1], cut, fill))[before], wanted[before])

    @property
    def _name(self) -> str:
        return type(self.network.model).__name__

    def _or_decoder(self, now: bool) -> str:
        """Advice, where the setting that decides is `is_decoder`."""
        if getattr(self.network.model.config, "is_decoder", None) is not now:
            return ""
        return f", or is_decoder to {str(not now).lower()} in learner.model (of a checkpoint: in config.json)"


def _index(context: int, device: torch.device) -> Tensor:
    """(R,) positions, sorted; those before the cuts among them."""
    spread = torch.linspace(0, context - 1, min(context, POSITIONS)).round().long().tolist()
    ends = (max(0, place) for place in (0, context // 2 - 1, context // 2, context - 2))
    return torch.tensor(sorted({*spread, *ends}), device=device)


def _random_rows(network: HFNetwork, context: int) -> Tensor:
    """(2, T) tokens, neither padding nor end of document, that differ everywhere."""
    vocabulary = network.vocabulary
    ids = torch.tensor([n for n in range(vocabulary.vocab_size) if n not in {vocabulary.pad_id, vocabulary.eos_id}])
    generator = torch.Generator().manual_seed(0)
    first = torch.randint(len(ids), (context,), generator=generator)
    other = (first + torch.randint(1, len(ids), (context,), generator=generator)) % len(ids)
    return ids[torch.stack([first, other])].to(network.device)


def _noisy(network: HFNetwork) -> dict[str, Tensor]:
    """The parameters and noise; matrices without their mean, under which all else would drown."""
    generator = torch.Generator(network.device).manual_seed(0)
    found = {}
    for name, p in network.model.named_parameters():
        noise = NOISE * torch.randn(p.shape, generator=generator, device=p.device)
        found[name] = noise.add_(p.detach()).sub_(p.detach().mean() if p.dim() > 1 else 0.0)
    return found


def _cut(row: Tensor, place: int, fill: Tensor) -> Tensor:
    return torch.cat([row[:, :place], fill[:, place:]], dim=1)


def _differ(found: Tensor, wanted: Tensor, tolerance: float = TOLERANCE) -> bool:
    """Whether (R, V) logits differ by more than rounding; what is no number differs."""
    return not bool(((found - wanted).abs() <= tolerance * wanted.std()).all())
