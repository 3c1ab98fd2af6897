"""Light parameters: the few that are tuned while the rest is frozen, and a head of their own for label tokens.

Shapes: d width, L label tokens.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from pydantic import field_validator
from torch import Tensor, nn

from curriculum_rl.batch import Part
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.learners import LightConfig

HEAD = "label_head"
"""The attribute of the model that the head becomes."""


class Light(LightConfig):
    """Which light parameters a model has.

    Attributes:
        labels: (L,) the tokens that the head answers with, in place of the model's own output for them.
    """

    labels: tuple[int, ...]

    @field_validator("labels")
    @classmethod
    def _has_some(cls, labels: tuple[int, ...]) -> tuple[int, ...]:
        if not labels:
            raise ValueError("the tokenizer has no label tokens: set tokenizer.labels")
        return labels


@runtime_checkable
class LightLearner(Protocol):
    """A learner with light parameters, which trains or steps parts of itself (`SegmentPlan.moves`, `Inner.moves`)."""

    @property
    def has_light(self) -> bool:
        """Whether it has any."""
        ...

    def reset_light(self, seeds: Sequence[int]) -> None:
        """Give all N replicas fresh light parameters from their seeds; body and step counts stay, moments too."""
        ...

    def label_flops(self, tokens: int, moves: Part) -> float:
        """Operations of the gradient of some parameters on that many tokens whose targets are labels alone."""
        ...


def require_light(learner: object, key: str) -> LightLearner:
    """The learner as one that has light parameters.

    Raises:
        ConfigError: it has none; `key` says what needs them.
    """
    if not isinstance(learner, LightLearner) or not learner.has_light:
        raise ConfigError(f"{key}: needs a transformers learner with learner.light")
    return learner


class Bottleneck(nn.Module):
    """A linear module followed by x + up(relu(down(x))); with `up` at zero it changes nothing.

    Source: Houlsby et al. 2019 (arXiv:1902.00751) for the module and its near-identity start; Pfeiffer et al. 2021
    (arXiv:2005.00247) for one adapter a layer, after the feed-forward block.
    """

    def __init__(self, inside: nn.Linear, size: int) -> None:
        super().__init__()
        self.inside = inside
        self.down = nn.Linear(inside.out_features, size)
        self.up = nn.Linear(size, inside.out_features)

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) of what `inside` reads."""
        h: Tensor = self.inside(x)
        added: Tensor = self.up(F.relu(self.down(h)))
        return h + added


def attach(model: Any, light: Light) -> dict[str, str]:
    """Give a model its light parameters, not yet of any use (`fresh` has their values).

    Returns:
        The names of all other parameters: what each is called now -> what it was called before.

    Raises:
        ConfigError: for modules that are not there, or where `peft` is not installed.
    """
    before = {id(p): name for name, p in model.named_parameters()}
    trained = {id(p): p.requires_grad for p in model.parameters()}
    if light.kind == "adapter":
        _add_adapters(model, light)
    elif light.kind == "lora":
        _add_lora(model, light)
    setattr(model, HEAD, nn.Linear(int(model.config.hidden_size), len(light.labels)))
    for p in model.parameters():  # `peft` has frozen the body
        p.requires_grad_(trained.get(id(p), True))
    return {name: before[id(p)] for name, p in model.named_parameters() if id(p) in before}


def fresh(shapes: Mapping[str, Sequence[int]], seed: int) -> dict[str, Tensor]:
    """Values of light parameters: biases and last factors zero, so that what is added changes nothing; others random.

    Args:
        shapes: by name.
        seed: of the random ones, which are as `torch.nn.Linear` draws them.
    """
    found = {}
    for name, shape in shapes.items():
        found[name] = torch.zeros(tuple(shape))
        last = ".up." in name or ".lora_B." in name
        if len(shape) == 2 and not last:
            generator = torch.Generator().manual_seed(key(seed, "light", name) >> 1)
            nn.init.kaiming_uniform_(found[name], a=math.sqrt(5), generator=generator)
    return found


def _add_adapters(model: Any, light: Light) -> None:
    pattern = re.compile(rf"(?:.*\.)?(?:{light.adapted})")
    found = [(name, m) for name, m in model.named_modules() if pattern.fullmatch(name) and isinstance(m, nn.Linear)]
    if not found:
        raise ConfigError(
            f"learner.light.adapted: no linear module of {type(model).__name__} is called {light.adapted!r}"
        )
    for name, module in found:
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, Bottleneck(module, light.size))


def _add_lora(model: Any, light: Light) -> None:
    try:
        import peft
    except ImportError as error:
        raise ConfigError("learner.light.kind: lora needs peft: pip install 'curriculum-rl[ner]'") from error
    settings = peft.LoraConfig(
        r=light.rank, lora_alpha=light.alpha, target_modules=list(light.targets), lora_dropout=0.0
    )
    try:
        peft.inject_adapter_in_model(settings, model)
    except ValueError as error:
        raise ConfigError(f"learner.light.targets: {str(error).splitlines()[0]}") from error
