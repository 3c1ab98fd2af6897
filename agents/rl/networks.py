"""What an agent's network is made of, by name: policies and the classes that `policy_kwargs` may hold."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
from stable_baselines3.common.torch_layers import CombinedExtractor, FlattenExtractor, NatureCNN
from torch import nn

from curriculum_rl.agents.saving import tree
from curriculum_rl.errors import ConfigError


def _by_name(*classes: type) -> Mapping[str, type]:
    return MappingProxyType({cls.__name__: cls for cls in classes})


# A file names these, so nothing of them may do more than compute.
CLASSES: Mapping[str, Mapping[str, type]] = MappingProxyType(
    {
        "activation_fn": _by_name(
            nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.Sigmoid, nn.Identity
        ),
        "optimizer_class": _by_name(
            torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam, torch.optim.RAdam, torch.optim.RMSprop,
            torch.optim.SGD, RMSpropTFLike,
        ),
        "features_extractor_class": _by_name(FlattenExtractor, CombinedExtractor, NatureCNN),
    }
)  # fmt: skip


def with_classes(policy_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The same with classes in place of their names.

    Raises:
        ConfigError: for a class that is not one of `CLASSES`, or any other value that a file cannot hold.
    """
    made = {}
    for key, value in policy_kwargs.items():
        known = CLASSES.get(key)
        if known is None:
            made[key] = _plain(key, value)
        elif value in known.values():
            made[key] = value
        elif isinstance(value, str) and value in known:
            made[key] = known[value]
        else:
            raise ConfigError(f"policy_kwargs: {key}: {value!r} is not one of {', '.join(known)}")
    return made


def _plain(key: str, value: Any) -> Any:
    try:
        tree.encode({key: value}, {})
    except TypeError as error:
        raise ConfigError(f"policy_kwargs: {key}: {error}") from None
    return value


def with_names(policy_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The same with names in place of classes."""
    return {key: value.__name__ if key in CLASSES else value for key, value in policy_kwargs.items()}


def check_policy_class(policy: Any, known: Mapping[str, Any]) -> None:
    """See that a policy that is given as a class has a name, by which a file can say it.

    Raises:
        ConfigError: where it has none.
    """
    if not isinstance(policy, str) and policy not in known.values():
        raise ConfigError(
            f"policy: {getattr(policy, '__name__', policy)!r} is not one of {', '.join(known)}; one of your own is an "
            "entry of `policy_aliases` in an agent class of your own"
        )


def name_of(policy: Any, known: Mapping[str, Any]) -> str:
    """The name of a policy's class."""
    return next(name for name, cls in known.items() if cls is policy)
