"""What an agent has learned: the states of its networks and optimizers, checked before they are put into place."""

import contextlib
import copy
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

# Building a network makes targets too, and layers that others replace; the file has each once.
_TIMES, _MORE_NUMBERS, _MORE_LAYERS = 8, 2**22, 2**10


def describe(agent: Any) -> dict[str, Any]:
    """The states by name, and the tensors that belong to no network."""
    _, others = agent._get_torch_save_params()
    return {"states": agent.get_parameters(), "tensors": {name: getattr(agent, name) for name in others}}


def restore(agent: Any, described: Mapping[str, Any]) -> None:
    """Put what `describe` described into an agent whose networks are built.

    Raises:
        ValueError: where it is not what such an agent has; nothing is put into place then.
    """
    names, others = agent._get_torch_save_params()
    states, tensors = described["states"], described["tensors"]
    _check_names("it", states, names)
    _check_names("it", tensors, others)
    for name in others:
        _check_tensor(name, tensors[name], getattr(agent, name))
    for name in names:
        found = attrgetter(name)(agent)
        if isinstance(found, torch.optim.Optimizer):
            states[name]["param_groups"] = _optimizer_groups(name, states[name], found)
        else:
            _check_network(name, states[name], found)
    agent.set_parameters(states, exact_match=True, device=agent.device)
    for name in others:
        getattr(agent, name).data.copy_(tensors[name])


def restore_network(name: str, network: nn.Module, state: Mapping[str, Any]) -> None:
    """Put a state into a network of its own.

    Raises:
        ValueError: where it is not what such a network has; nothing is put into place then.
    """
    _check_network(name, state, network)
    network.load_state_dict(state)


def _check_names(what: str, found: Mapping[str, Any], wanted: Any) -> None:
    if set(found) != set(wanted):
        raise ValueError(f"{what} has {', '.join(map(str, found))}, not {', '.join(map(str, wanted))}")


def _check_tensor(name: str, found: Any, wanted: Tensor) -> None:
    if not isinstance(found, Tensor) or found.shape != wanted.shape or found.dtype != wanted.dtype:
        shape = (tuple(found.shape), found.dtype) if isinstance(found, Tensor) else type(found).__name__
        raise ValueError(f"{name} is {shape}, not {(tuple(wanted.shape), wanted.dtype)}")
    if not torch.isfinite(found).all():
        raise ValueError(f"{name} has numbers that are not finite")


def _check_network(name: str, state: Mapping[str, Any], network: nn.Module) -> None:
    wanted = network.state_dict()
    _check_names(name, state, wanted)
    for part, tensor in wanted.items():
        _check_tensor(f"{name}: {part}", state[part], tensor)


def _optimizer_groups(name: str, state: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """The groups of an optimizer's state; what an older torch did not write yet has its default."""
    _check_names(name, state, ("state", "param_groups"))
    wanted = _after_a_step(optimizer)
    for number, found in state["state"].items():
        _check_names(f"{name}: {number}", found, wanted["state"].get(number, ()))
        for part, value in wanted["state"][number].items():
            _check_tensor(f"{name}: {number}: {part}", found[part], value)
    if len(state["param_groups"]) != len(wanted["param_groups"]):
        raise ValueError(f"{name} has {len(state['param_groups'])} groups, not {len(wanted['param_groups'])}")
    return [_group(name, *pair) for pair in zip(state["param_groups"], wanted["param_groups"], strict=True)]


def _group(name: str, found: Mapping[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    for key, value in found.items():
        if key not in wanted:
            raise ValueError(f"{name}: {key!r} is no setting of this optimizer")
        if key == "lr":
            if not isinstance(value, float | int) or not 0 <= value < float("inf"):
                raise ValueError(f"{name}: lr: {value!r} must be a number at least 0")
        elif value != wanted[key]:
            raise ValueError(f"{name}: {key}: {value!r} is not {wanted[key]!r}, as policy_kwargs has it")
    return {**wanted, **found}


def _after_a_step(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """The state that an optimizer of this kind has of each parameter once it has moved them."""
    other = copy.deepcopy(optimizer)
    for group in other.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    other.step()
    return other.state_dict()


@contextlib.contextmanager
def bounded(described: Mapping[str, Any]) -> Iterator[None]:
    """No network that is built meanwhile is much larger than what a file holds, whatever the file says of its layers.

    Raises:
        ValueError: as soon as one is, before its memory is touched.
    """
    tensors = [each for each in described["states"]["policy"].values() if isinstance(each, Tensor)]
    left = {
        "numbers": _MORE_NUMBERS + _TIMES * sum(each.numel() for each in tensors),
        "layers": _MORE_LAYERS + _TIMES * len(tensors),
    }

    def count(_: nn.Module, name: str, parameter: Any) -> None:
        left["numbers"] -= 0 if parameter is None else parameter.numel()
        left["layers"] -= 1
        if min(left.values()) < 0:
            raise ValueError("its policy_kwargs and spaces ask for larger networks than it holds")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()
