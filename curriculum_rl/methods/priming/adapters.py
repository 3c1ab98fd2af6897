"""Small parameters added to a frozen backbone: bottleneck adapters of our own, and LoRA by `peft`."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from curriculum_rl.errors import ConfigError

PE = Literal["adapter", "lora", "head"]
"""What is tuned beside the head: bottleneck adapters, LoRA, or nothing."""

ADAPTED = r"layer\.\d+\.output\.dense"
"""Which modules of a BERT an adapter follows: the second product of each feed-forward block."""
LORA_TARGETS = ("query", "value")
"""Which modules of a BERT get low-rank updates; Hu et al. 2022 (arXiv:2106.09685), section 4.2."""


class Bottleneck(nn.Module):
    """A linear module followed by x + up(relu(down(x))); at first it changes nothing, as `up` is zero.

    Source: Houlsby et al. 2019 (arXiv:1902.00751) for the module and its near-identity start; Pfeiffer et al. 2021
    (arXiv:2005.00247) for one adapter a layer, after the feed-forward block.
    """

    def __init__(self, inside: nn.Linear, size: int) -> None:
        super().__init__()
        self.inside = inside
        self.down = nn.Linear(inside.out_features, size)
        self.up = nn.Linear(size, inside.out_features)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) of what `inside` reads."""
        h: Tensor = self.inside(x)
        added: Tensor = self.up(F.relu(self.down(h)))
        return h + added


def add_adapters(backbone: nn.Module, *, size: int, modules: str = ADAPTED) -> None:
    """Let a bottleneck of that width follow every module whose whole name, or its end, matches.

    Raises:
        ConfigError: no linear module does.
    """
    pattern = re.compile(rf"(?:.*\.)?(?:{modules})")
    found = [(name, m) for name, m in backbone.named_modules() if pattern.fullmatch(name) and isinstance(m, nn.Linear)]
    if not found:
        raise ConfigError(f"adapted: no linear module of {type(backbone).__name__} is called {modules!r}")
    for name, module in found:
        parent, _, last = name.rpartition(".")
        setattr(backbone.get_submodule(parent), last, Bottleneck(module, size).to(module.weight.device))


def add_lora(backbone: Any, *, rank: int, alpha: int, modules: Sequence[str] = LORA_TARGETS) -> None:
    """Low-rank updates of the named modules by `peft`, without dropout; at first they change nothing.

    Raises:
        ConfigError: `peft` is not installed, or no module has such a name.
    """
    try:
        import peft
    except ImportError as error:
        raise ConfigError("pe: lora needs peft: pip install 'curriculum-rl[ner]'") from error
    settings = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(modules), lora_dropout=0.0)
    try:
        peft.inject_adapter_in_model(settings, backbone)
    except ValueError as error:
        raise ConfigError(f"pe: {str(error).splitlines()[0]}") from error
