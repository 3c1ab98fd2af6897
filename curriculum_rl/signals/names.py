"""The signals that an agent may ask for. Shapes: K tasks; the target, where a signal has it, comes after the last."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

from curriculum_rl.errors import ConfigError

Signal = Literal[
    "heldout_loss", "products", "adam_products", "variance", "look_ahead", "rollout", "transfer", "duel", "ghost"
]

SIGNALS: Mapping[Signal, str] = MappingProxyType(
    {
        "heldout_loss": "(K,) nats per scored token on windows of each task that it does not train on, always the same",
        "products": "(K+1, K+1) inner products of the gradients of all tasks and the target, from separate rows; with "
        "method tartan of unit gradients, each task's with a fresh head's, from the updates themselves",
        "adam_products": "(K+1, K+1) the same with one side divided by the root of Adam's second moments",
        "variance": "(K,) variance of the gradient of one row of each task, summed over parameters",
        "look_ahead": "(K,) what a few updates on each task alone take off the target's loss, nats per token",
        "rollout": "(K,) what such a branch, finished by stratified updates, takes off it beyond a stratified branch",
        "duel": "() what a few updates on the last mixture take off the target's loss beyond what stratified ones do",
        "transfer": "(K, K) entry j, i: what a few updates on task j alone take off the held-out loss of task i",
        "ghost": "(K,) what an Adam step on each task takes off the target's loss, to first order, per unit of the "
        "learning rate and as one matrix sees it in the training step's own backward pass; NaN without rows",
    }
)


def check_names(names: Sequence[str]) -> None:
    """Raise ConfigError for an unknown signal."""
    for name in names:
        if name not in SIGNALS:
            raise ConfigError(f"signals: {name!r} is not one of {', '.join(get_args(Signal))}")
