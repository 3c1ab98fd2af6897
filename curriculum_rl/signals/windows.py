"""Windows that signals are measured on: no task trains on them in this run and no score is taken from them.

Shapes: N replicas, K tasks, T tokens of a row.
"""

from collections.abc import Callable, Sequence

from curriculum_rl.batch import Batch
from curriculum_rl.draws import key
from curriculum_rl.learners.base import Learner
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Price
from curriculum_rl.schema import EnvConfig
from curriculum_rl.tasks import Task
from curriculum_rl.text.targets import Split


class Windows:
    """Draws rows, and says what they cost.

    Args:
        problem: tasks and target.
        config: sizes: of signals, batches and segments.
        learner: whose replicas are measured.
        left: FLOPs that are left of the budget now.
    """

    def __init__(
        self, problem: Problem, config: EnvConfig, learner: Learner, left: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.problem, self.config, self.learner, self.left = problem, config, learner, left
        self._fixed: tuple[tuple[int, ...], Batch] | None = None

    def target(self, split: Split = "signal") -> Task:
        """The target's objective on one of its splits."""
        return self.problem.target_task(split, causal=self.learner.causal_rows)

    def rows(self, task: Task, seeds: Sequence[int], what: str, first: int, rows: int) -> Batch:
        """(N, rows, T) rows of a task that are not those that are trained on: their stream is another."""
        context = self.config.context
        return Batch.stack([task.batch(seed=key(s, what), first=first, rows=rows, context=context) for s in seeds])

    def require_heldout(self) -> None:
        """See that every task has as many held-out windows as `signals.rows` behind those that are reported.

        Raises:
            ConfigError: naming the first corpus that has not.
        """
        self.problem.heldout.require(self.problem.tasks, self.config.signals.rows, "signals.rows")

    def heldout(self, seeds: Sequence[int]) -> Batch:
        """(N, K rows, T) of all tasks, task by task, always the same in a run."""
        if self._fixed is None or self._fixed[0] != tuple(seeds):
            problem, rows = self.problem, self.config.signals.rows
            self._fixed = tuple(seeds), problem.heldout.unseen(problem.tasks, rows, seeds, "held out")
        return self._fixed[1]

    def read(self, rows: int) -> Price:
        """Of scoring as many rows."""
        return self._price(rows, training=False)

    def train(self, rows: int) -> Price:
        """Of gradients of as many rows."""
        return self._price(rows, training=True)

    def _price(self, rows: int, *, training: bool) -> Price:
        tokens = rows * self.config.context
        return Price(tokens, self.learner.flops(tokens, training=training))
