"""Two quadratic tasks whose best mixture is known: no language model, no learner, only arithmetic.

The learner's parameters are two numbers t; the loss of task k is t_k^2 / 2, and a row of task k gives its gradient with
noise of variance s_k^2 in each coordinate. An update of `batch` rows, of which a share w belongs to the first task, is
t <- t - rate (w t_1, (1 - w) t_2) + noise.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoQuadratics:
    """The problem; what is to be small is the expected sum of both losses.

    Source:
        Li et al. (2025), PiKE, arXiv 2502.06244, example 2.1.

    Attributes:
        position: t, not both 0.
        noise: s_1 and s_2, the standard deviation of one row's gradient in each coordinate.
        rate: of an update.
        batch: rows of an update.
    """

    position: tuple[float, float]
    noise: tuple[float, float] = (0.0, 0.0)
    rate: float = 0.1
    batch: int = 16

    def expected(self, shares: Floats) -> Floats:
        """Sum of both losses that is expected after some updates.

        Args:
            shares: (..., U) the first task's share in each of U updates.

        Returns:
            (...) the mean over the noise.
        """
        mean: list[Floats] = [np.full(shares.shape[:-1], t) for t in self.position]
        variance: list[Floats] = [np.zeros(shares.shape[:-1]) for _ in self.position]
        first, second = (s**2 for s in self.noise)
        for update in range(shares.shape[-1]):
            share = shares[..., update]
            added = self.rate**2 * (share * first + (1 - share) * second) / self.batch
            for k, own in enumerate((share, 1 - share)):
                mean[k] = mean[k] * (1 - self.rate * own)
                variance[k] = variance[k] * (1 - self.rate * own) ** 2 + added
        total: Floats = (mean[0] ** 2 + mean[1] ** 2 + variance[0] + variance[1]) / 2
        return total

    def best_share(self) -> float:
        """Of the first task, in one update: where the derivative of `expected` is 0, or the nearer end of [0, 1].

        w = [(s_2^2 - s_1^2) / batch + (t_1^2 - t_2^2) / rate + t_2^2] / (t_1^2 + t_2^2).
        """
        (t1, t2), (s1, s2) = self.position, self.noise
        share = ((s2**2 - s1**2) / self.batch + (t1**2 - t2**2) / self.rate + t2**2) / (t1**2 + t2**2)
        return float(np.clip(share, 0, 1))

    def best_static_share(self, updates: int, points: int = 10_001) -> float:
        """Of the first task, when it is the same in all of some updates: by search over `points` shares."""
        shares = np.linspace(0, 1, points)
        return float(shares[self.expected(np.repeat(shares[:, None], updates, axis=1)).argmin()])

    def products(self) -> Floats:
        """(3, 3) inner products of the gradients of the first task, the second, and the sum of both losses."""
        gradients = np.array([[self.position[0], 0], [0, self.position[1]], self.position])
        found: Floats = gradients @ gradients.T
        return found

    def variance(self) -> Floats:
        """(2,) variance of one row's gradient of each task, summed over the two parameters."""
        found: Floats = 2 * np.square(np.array(self.noise))
        return found

    def update(self, share: float, random: np.random.Generator, copies: int) -> Floats:
        """(copies, 2) positions after one noisy update.

        Args:
            share: of the first task; share * batch is rounded to rows.
            random: of the noise.
            copies: independent learners.
        """
        rows = round(share * self.batch)
        step = np.array([rows, self.batch - rows]) / self.batch * np.array(self.position)
        deviation = np.repeat(self.noise, [rows, self.batch - rows])[None, :, None]
        noise = (deviation * random.standard_normal((copies, self.batch, 2))).mean(axis=1)
        moved: Floats = np.array(self.position) - self.rate * (step + noise)
        return moved
