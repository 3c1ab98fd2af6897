"""The few-shot fine-tune on a problem's target: which examples, which objective, which label tokens."""

from collections.abc import Mapping, Sequence

from curriculum_rl import schema
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.transformers.light import require_light
from curriculum_rl.objectives import Classification, Tagging
from curriculum_rl.problem import Problem
from curriculum_rl.proxies.finetune import FewShotFineTune
from curriculum_rl.text.corpora import LabelledCorpus
from curriculum_rl.text.tagged import TaggedCorpus
from curriculum_rl.text.targets import Split


def few_shot(
    problem: Problem, learner: Learner, split: Split, settings: schema.FineTuneSettings, seeds: Sequence[int]
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
    settings: schema.FineTuneSettings,
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
    key = "proxy" if isinstance(settings, schema.FineTuneProxy) else "report.finetune"
    raise ConfigError(
        f"{key}.updates: 0 scores the learner as it is, and no task with labels trains the target's classes "
        f"({', '.join(classes)}) from label token {settings.first_label} on; "
        f"there are: {'; '.join(trained) or 'none'}"
    )
