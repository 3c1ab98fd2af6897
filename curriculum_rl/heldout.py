"""The held-out parts of the corpora, and which of their windows each reader may have: report, signals, proxies.

Shape letters: N replicas, K tasks, S windows of a corpus, T tokens of a window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curriculum_rl.batch import Batch
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import Objective
from curriculum_rl.tasks import Task
from curriculum_rl.text.corpora import Corpus


@dataclass(frozen=True)
class HeldOut:
    """Owner of the offsets: the report has the front of every held-out part, all others read behind it.

    All readers draw from one permutation of a part, by the seed of a run; nothing but these offsets keeps them apart.

    Attributes:
        corpora: the part of every read corpus that no task trains on, by the corpus's name.
        signal: the target's signal split.
        own: the corpus that the target is the held-out part of; None where the target has text of its own.
        reported: windows of every part that the report scores, fewer where a part has fewer.
        context: T.
    """

    corpora: Mapping[str, Corpus]
    signal: Corpus
    own: str | None
    reported: int
    context: int

    def report(self, name: str, objective: Objective, seeds: Sequence[int]) -> Batch:
        """(N, up to `reported`, T) windows of a corpus's held-out part, for the report alone."""
        task = Task(f"heldout {name}", self.corpora[name], objective)
        rows = min(self.reported, task.corpus.size(self.context))
        return Batch.stack([task.batch(seed=seed, first=0, rows=rows, context=self.context) for seed in seeds])

    def require(self, tasks: Sequence[Task], rows: int, key: str) -> None:
        """See that there are as many windows of every task that the report does not score.

        Args:
            tasks: whose held-out windows will be asked for.
            rows: S, of each.
            key: the setting that asks, for the error.

        Raises:
            ConfigError: naming the first task whose held-out part is too short.
        """
        for task in tasks:
            text = self._text(task)
            if text is None:
                continue
            first = 0 if text is self.signal else self.reported
            if text.size(self.context) < first + rows:
                raise ConfigError(
                    f"{key}: {rows} held-out windows of {task.corpus.name} were asked for, "
                    f"behind {first} that are reported; it has {text.size(self.context)}"
                )

    def unseen(self, tasks: Sequence[Task], rows: int, seeds: Sequence[int], reader: str) -> Batch:
        """(N, K S, T) rows task by task that no task trains on and the report does not score, the same at every call.

        A task with labels, or on a corpus that is made of another one, has no held-out part: its rows are drawn from
        the text that it trains on, apart from those that it is trained on. Of the target's own corpus, whose held-out
        part is the target, they are drawn from the signal split. `require` says beforehand whether there are enough.

        Args:
            tasks: the K tasks.
            rows: S, of each.
            seeds: N.
            reader: who reads; readers of different names draw different rows where there is no held-out part.
        """
        return Batch.stack([Batch.cat([self._rows(task, rows, seed, reader) for task in tasks]) for seed in seeds])

    def _rows(self, task: Task, rows: int, seed: int, reader: str) -> Batch:
        text = self._text(task)
        if text is None or text is self.signal:
            drawn = Task(task.name, text or task.corpus, task.objective)
            return drawn.batch(seed=key(seed, reader), first=0, rows=rows, context=self.context)
        drawn = Task(f"heldout {task.corpus.name}", text, task.objective)
        return drawn.batch(seed=seed, first=self.reported, rows=rows, context=self.context)

    def _text(self, task: Task) -> Corpus | None:
        """The text that a task's unseen rows come from; None: its own."""
        if task.objective.labelled or task.corpus.name not in self.corpora:
            return None
        return self.signal if task.corpus.name == self.own else self.corpora[task.corpus.name]
