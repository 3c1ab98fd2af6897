"""What a `transformers` model says of tokens, as one module whose parameters can be replaced.

Shapes: b rows, T tokens, R positions, d width, L label tokens, C tokens that are asked for, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.library import first_line
from curriculum_rl.learners.transformers.light import HEAD

LARGE = 1000.0
"""What the weights of a head are multiplied by where it is tried alone."""


class HFReader(nn.Module):
    """A language model, and where it has a head for label tokens the answers of that head in place of its own.

    Args:
        model: the `transformers` model; with labels it has the attribute `label_head`.
        labels: (L,) the tokens that this head answers with; none: there is no such head.
    """

    def __init__(self, model: Any, labels: Sequence[int] = ()) -> None:
        super().__init__()
        self.model = model
        self._labels = torch.tensor(labels, dtype=torch.int64, device=model.device)
        self._head_name = _head_of(model)

    def forward(
        self, input_ids: Tensor, mask: Tensor | None, columns: Tensor | None = None, index: Tensor | None = None
    ) -> Tensor:
        """(b, T, V) logits; of the tokens `columns` (C,) alone; at the positions `index` (R,) of b T alone: (R, V)."""
        if self._head_name is None:
            out = self.model(input_ids=input_ids, attention_mask=mask, output_hidden_states=bool(len(self._labels)))
            states = _at(out.hidden_states[-1], index) if len(self._labels) else None
            return self._answers(states, _at(out.logits, index), columns)
        states = _at(self.model.base_model(input_ids=input_ids, attention_mask=mask).last_hidden_state, index)
        if columns is not None and len(self._labels) and bool(torch.isin(columns, self._labels).all()):
            # Nothing of the vocabulary is asked for: its product, most of a small model's, is left out.
            places = (columns[:, None] == self._labels).long().argmax(dim=1)
            return self._of_labels(states).index_select(-1, places)
        return self._answers(states, self.model.get_submodule(self._head_name)(states), columns)

    def replaced(
        self,
        values: Mapping[str, Tensor],
        input_ids: Tensor,
        mask: Tensor | None,
        columns: Tensor | None,
        index: Tensor | None,
    ) -> Tensor:
        """The same with other values for some of the model's parameters, by name."""
        named = {f"model.{name}": value for name, value in values.items()}
        logits: Tensor = functional_call(self, named, (input_ids, mask, columns, index))
        return logits

    def _answers(self, states: Tensor | None, logits: Tensor, columns: Tensor | None) -> Tensor:
        if len(self._labels) and states is not None:
            logits = logits.index_copy(-1, self._labels, self._of_labels(states).to(logits.dtype))
        return logits if columns is None else logits.index_select(-1, columns)

    def _of_labels(self, states: Tensor) -> Tensor:
        return cast(Tensor, getattr(self.model, HEAD)(states))


def _at(values: Tensor, index: Tensor | None) -> Tensor:
    return values if index is None else values.flatten(0, 1).index_select(0, index)


@torch.no_grad()
def _head_of(model: Any) -> str | None:
    """The module that makes logits of last hidden states, so that it need not read what is not scored; None: unclear.

    Tried on two tokens (of padding the states may be 0) with a head of large weights, as some models do more to their
    logits than their head does: a bound on them shows in large ones alone.
    """
    names = [name for name, child in model.named_children() if child is not model.base_model and name != HEAD]
    if len(names) != 1 or model.base_model is model:
        return None
    head = model.get_submodule(names[0])
    try:
        size = model.get_input_embeddings().num_embeddings
        ids = torch.tensor([[size - 1, size // 2]], device=model.device)
        read = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}  # without a mask, some models warn of padding
        states = getattr(model.base_model(**read), "last_hidden_state", None)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ConfigError(
            f"learner.model: {type(model).__name__} cannot read two tokens: {first_line(error)}"
        ) from error
    if states is None:
        return None
    large = {name: LARGE * p for name, p in head.named_parameters()}
    wanted = functional_call(
        model, {f"{names[0]}.{name}": p for name, p in large.items()}, kwargs=read, tie_weights=False
    ).logits
    found = functional_call(head, large, (states,), tie_weights=False)
    if not isinstance(found, Tensor):
        return None
    return names[0] if found.shape == wanted.shape and torch.allclose(found, wanted, atol=1e-4) else None
