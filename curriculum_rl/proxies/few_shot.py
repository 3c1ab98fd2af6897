"""The few-shot fine-tune on a problem's target, as a proxy and for the report: which examples and label tokens."""

from collections.abc import Mapping, Sequence
from typing import Self

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.transformers.light import require_light
from curriculum_rl.objectives import Classification, Tagging
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.base import Price, Reading, Stateless
from curriculum_rl.proxies.finetune import FewShotFineTune
from curriculum_rl.schema.proxies import FineTuneProxy, FineTuneSettings
from curriculum_rl.text.corpora import LabelledCorpus
from curriculum_rl.text.tagged import TaggedCorpus
from curriculum_rl.text.targets import Split


class FineTune(Stateless):
    """Minus the log-loss after a few-shot fine-tune.

    Args:
        few_shot: the fine-tune.
    """

    def __init__(self, few_shot: FewShotFineTune) -> None:
        self._few_shot = few_shot

    @classmethod
    def build(cls, section: FineTuneProxy, problem: Problem, learner: Learner, seeds: Sequence[int]) -> Self:
        """As an environment file says."""
        return cls(few_shot(problem, learner, "reward", section, seeds))

    def price(self, learner: Learner) -> Price:
        """The fine-tune's price."""
        return self._few_shot.price(learner)

    def score(self, learner: Learner) -> Reading:
        """Score all replicas."""
        result = self._few_shot(learner)
        f1 = {} if result.entity_f1 is None else {"entity_f1": result.entity_f1}
        return Reading(-result.log_loss, {"accuracy": result.accuracy} | f1)


def few_shot(
    problem: Problem, learner: Learner, split: Split, settings: FineTuneSettings, seeds: Sequence[int]
) -> FewShotFineTune:
    """A few-shot fine-tune on signal examples, scored on a split; without updates, a task's objective scored on it.

    Raises:
        ConfigError: if the target has no labels, there are no updates and no task trains them, or light parameters
            are to be tuned that the learner lacks.
    """
    if settings.tune == "light":
        require_light(learner, "finetune.tune: light")
    kind: type[Classification | Tagging] = Classification
    labelled: Mapping[Split, LabelledCorpus | TaggedCorpus] = problem.target.labelled
    if problem.target.tagged:
        kind, labelled = Tagging, problem.target.tagged
    else:
        problem.target.require_labels("finetune")
    objective = kind(problem.tokenizer, causal=learner.causal_rows, first=settings.first_label)
    if not settings.updates:
        objective = _trained_objective(problem, settings, kind, labelled["signal"].classes)
    return FewShotFineTune(
        train=labelled["signal"],
        test=labelled[split],
        objective=objective,
        settings=settings,
        context=min(settings.length or problem.context, problem.context),
        seeds=seeds,
    )


def _trained_objective(
    problem: Problem,
    settings: FineTuneSettings,
    kind: type[Classification | Tagging],
    classes: tuple[str, ...],
) -> Classification | Tagging:
    """That of the first task which trains the target's classes, on the label tokens that the settings name."""
    trained: list[str] = []
    for task in problem.tasks:
        if isinstance(task.corpus, LabelledCorpus | TaggedCorpus) and isinstance(task.objective, kind):
            if task.corpus.classes == classes and task.objective.first == settings.first_label:
                return task.objective
            trained.append(f"{task.name} ({', '.join(task.corpus.classes)}, from {task.objective.first})")
    key = "proxy" if isinstance(settings, FineTuneProxy) else "report.finetune"
    raise ConfigError(
        f"{key}.updates: 0 scores the learner as it is, and no task with labels trains the target's classes "
        f"({', '.join(classes)}) from label token {settings.first_label} on; "
        f"there are: {'; '.join(trained) or 'none'}"
    )
