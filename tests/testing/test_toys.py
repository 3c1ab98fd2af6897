"""The toy environment measures what it is asked for."""

from typing import ClassVar

import pytest

from curriculum_rl.signals import SIGNALS
from curriculum_rl.testing.envs import BanditEnv, signal_shape


class Named:
    """A signal that only says what it is."""

    measures: ClassVar = {"named": "(K, K+1) nothing"}


class Shapeless:
    """One that does not say its shape."""

    measures: ClassVar = {"shapeless": "K numbers"}


@pytest.mark.parametrize("name", [*SIGNALS, f"{__name__}:Named"])
def test_a_signal_has_the_shape_that_its_description_begins_with(name: str) -> None:
    env = BanditEnv(arms=4)
    env.request_signals([name])
    env.reset(seed=0)
    found = env.step(0)[-1]["signals"]
    assert list(found) == [name]
    assert found[name].shape == signal_shape(name, 4)


def test_shapes_are_read_from_descriptions() -> None:
    shapes = [signal_shape(name, 4) for name in ("duel", "heldout_loss", "products", f"{__name__}:Named")]
    assert shapes == [(), (4,), (5, 5), (4, 5)]
    with pytest.raises(AssertionError, match="must begin with a shape"):
        signal_shape(f"{__name__}:Shapeless", 4)
