"""A proxy: what pays the agent."""

from collections.abc import Sequence

from curriculum_rl.errors import wrong
from curriculum_rl.learners.base import Learner
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Price, Reading, Stateless


class HardestWindows(Stateless):
    """Minus the mean loss of those of the target's windows that are hardest now, nats a token.

    Args:
        problem: tasks and target; given by the environment, as are the next two.
        learner: N replicas.
        seeds: N, of the replicas' runs: each draws its windows by its own.
        sequences: windows of the reward split; always the same, so that a gain is no accident of the draw.
        part: of them that count, in (0, 1].
    """

    def __init__(
        self, *, problem: Problem, learner: Learner, seeds: Sequence[int], sequences: int = 32, part: float = 0.25
    ) -> None:
        if not 0 < part <= 1:
            raise wrong("proxy.part", part, "above 0 and at most 1")
        self._batch = problem.target_windows("reward", sequences, seeds, causal=learner.causal_rows)
        self._kept = max(1, round(part * sequences))

    def price(self, learner: Learner) -> Price:
        """What the next call of `score` costs a replica: one forward pass."""
        tokens = self._batch.input_ids[0].numel()
        return Price(tokens, learner.flops(tokens, training=False))

    def score(self, learner: Learner) -> Reading:
        """(N,) higher is better; the learner stays as it is."""
        nats = learner.token_losses(self._batch).double().cpu().sum(dim=2) / self._batch.weights.double().sum(dim=2)
        return Reading(-nats.topk(self._kept, dim=1).values.mean(dim=1).numpy(), {"mean": -nats.mean(dim=1).numpy()})
