"""What measuring costs a run and must bring, and how noisy its proxy is on an untrained learner."""

import math
from dataclasses import dataclass

import numpy as np

from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.proxies.build import make_proxy
from curriculum_rl.schema.proxies import RefreshedProxy
from curriculum_rl.signals.measurements import Measurements
from curriculum_rl.signals.windows import Windows

RETURN = 0.4
"""Nats that a share 1 of the budget is worth, to first order: losses fall by about .4 per unit of log budget here."""
READINGS = 8
"""Of the proxy, each on windows of its own."""


@dataclass(frozen=True)
class SignalPrice:
    """What a signal costs where it is measured as often as `signals.every` says.

    Attributes:
        flops: that it adds to a segment, on average; NaN where it cannot be measured here.
        share: of the budget.
        reason: why it cannot be measured; "" where it can.
    """

    flops: float
    share: float
    reason: str = ""

    @property
    def needed(self) -> float:
        """Nats that it has to bring, to be worth its price."""
        return RETURN * self.share


@dataclass(frozen=True)
class ProxyPrice:
    """What the proxy costs and how noisy it is.

    Attributes:
        share: of the budget, where it is paid for.
        noise: standard deviation of the score of one untrained learner over `readings` draws of the proxy's windows;
            NaN where the readings would cost more than an audit may.
        readings: how many were taken.
        flops: that they cost.
    """

    share: float
    noise: float
    readings: int
    flops: float


def price_of_signal(run: Pretraining, name: str) -> SignalPrice:
    """Of a signal alone: measuring takes from the updates that a segment's share of the budget pays for."""
    windows = Windows(run.problem, run.config, run.learner, lambda: run.budget)
    try:
        measured = Measurements(windows, [name], affords=lambda _: True)
        flops = measured.of_segment(run.config.segment.updates)
    except ConfigError as error:
        return SignalPrice(math.nan, math.nan, str(error))
    trained = run.config.segment.updates * run.method.flops(run.learner, run.config.batch * run.config.context)
    return SignalPrice(flops, flops / (flops + trained))


def price_of_proxy(run: Pretraining, affordable: float) -> ProxyPrice:
    """Readings of one untrained learner, each on windows of its own; fewer, or none, where that costs too much."""
    run.learner.reset([key(0, "weights") >> 1])
    price = make_proxy(run.config.proxy, run.problem, run.learner, [0]).price(run.learner).flops
    trained = run.config.segment.updates * run.method.flops(run.learner, run.config.batch * run.config.context)
    every = run.config.proxy.every if isinstance(run.config.proxy, RefreshedProxy) else 1
    share = price / (price + every * trained)
    readings = min(READINGS, int(affordable / price)) if price else READINGS
    if readings < 2:
        return ProxyPrice(share, math.nan, 0, 0.0)
    scores = []
    for seed in range(readings):
        proxy = make_proxy(run.config.proxy, run.problem, run.learner, [seed])
        scores.append(float(proxy.score(run.learner).score[0]))
    return ProxyPrice(share, float(np.std(scores, ddof=1)), readings, readings * price)
