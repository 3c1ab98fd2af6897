"""A guard for autograd functions whose backward pass cannot be differentiated again."""

import torch


def first_order_only(name: str) -> None:
    """To be called in a backward pass: raise where its result would have to be differentiable.

    torch's `once_differentiable` raises only when the incoming gradient has a history; a gradient of ones has none, and
    the second derivatives of `grad(loss, x, create_graph=True)` would silently lack this function's part.

    Raises:
        RuntimeError: inside `create_graph=True`.
    """
    if torch.is_grad_enabled():
        raise RuntimeError(f"{name} has no second derivative: use plain cross-entropy and activation with create_graph")
