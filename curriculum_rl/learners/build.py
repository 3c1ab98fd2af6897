"""The learner that an environment file describes."""

from curriculum_rl import schema
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.learners.optimizer import OptimizerConfig
from curriculum_rl.learners.precision import Execution
from curriculum_rl.learners.transformers.light import LORA_TARGETS, Light
from curriculum_rl.plugins import custom
from curriculum_rl.problem import Problem
from curriculum_rl.schema import EnvConfig
from curriculum_rl.text.tokenizers import Tokenizer


def make_learner(config: EnvConfig, problem: Problem, *, replicas: int = 1) -> Learner:
    """N learners as the environment says, not yet reset.

    Raises:
        ConfigError: for fewer than one replica, rows that `optimizer.accumulate` does not divide, what the device
            cannot do or has no memory for, a model that cannot be made, or one that cannot do a task's objective.
    """
    learner = _made(config, problem.tokenizer, replicas)
    for task in problem.tasks:
        if not (learner.causal_rows if task.objective.causal else learner.bidirectional_rows):
            way = "left to right" if task.objective.causal else "in both directions"
            raise ConfigError(f"tasks: {task.name} needs a learner that reads {way}; learner.head says otherwise")
    return learner


def _made(config: EnvConfig, tokenizer: Tokenizer, replicas: int) -> Learner:
    if replicas < 1:
        raise ConfigError(f"replicas (num_envs): at least 1 learner is needed, not {replicas}")
    _check_parts(config)
    optimizer = config.optimizer
    settings = OptimizerConfig(
        learning_rate=optimizer.learning_rate,
        weight_decay=optimizer.weight_decay,
        betas=optimizer.betas,
        eps=optimizer.eps,
        clip=optimizer.clip,
        label_smoothing=optimizer.label_smoothing,
        accumulate=optimizer.accumulate,
    )
    match config.learner:
        case schema.TransformerLearner() as learner:
            shape = TransformerConfig(
                vocab_size=tokenizer.vocab_size,
                layers=learner.layers,
                width=learner.width,
                heads=learner.heads,
                context=config.context,
                activation=learner.activation,
                tied=learner.tied,
                dropout=learner.dropout,
            )
            return BatchedLearner(
                shape,
                settings,
                replicas=replicas,
                pad_id=tokenizer.pad_id,
                device=config.device,
                explosion=optimizer.explosion,
                execution=Execution(learner.precision, compile=learner.compile, capture=learner.capture),
            )
        case schema.TransformersLearner() as learner:
            from curriculum_rl.learners.transformers.learner import TransformersLearner  # seconds to import
            from curriculum_rl.learners.transformers.models import Options

            return TransformersLearner(
                learner.model,
                settings,
                head=learner.head,
                tokenizer=tokenizer,
                context=config.context,
                replicas=replicas,
                device=config.device,
                explosion=optimizer.explosion,
                options=Options(
                    precision=learner.precision,
                    attention=learner.attention,
                    dropout=learner.dropout,
                    gradient_checkpointing=learner.gradient_checkpointing,
                ),
                light=_light(learner.light, tokenizer),
            )
        case schema.Custom() as learner:
            made: Learner = custom(learner, tokenizer=tokenizer, config=config, optimizer=settings, replicas=replicas)
            _check_custom(made)
            return made


def _light(section: schema.LightConfig | None, tokenizer: Tokenizer) -> Light | None:
    """The light parameters of a section; what it leaves open is the default of `Light`."""
    if section is None:
        return None
    given = section.model_dump(exclude_defaults=True) | {"kind": section.kind}
    return Light.from_json({"labels": tokenizer.label_ids, "targets": LORA_TARGETS, **given})


def _check_parts(config: EnvConfig) -> None:
    """Every update of an environment, the few-shot fine-tunes' too, is processed in equal parts."""
    rows = {"batch": config.batch}
    if isinstance(config.proxy, schema.FineTuneProxy):
        rows["proxy.batch"] = config.proxy.batch
    if config.report.finetune is not None:
        rows["report.finetune.batch"] = config.report.finetune.batch
    for name, count in rows.items():
        if count % config.optimizer.accumulate:
            raise ConfigError(f"optimizer.accumulate {config.optimizer.accumulate} does not divide {name} {count}")


def _check_custom(learner: Learner) -> None:
    """A user's learner has all that is asked of one."""
    asked = {*Learner.__annotations__, *(name for name in vars(Learner) if not name.startswith("_"))}
    missing = sorted(name for name in asked if not hasattr(learner, name))
    if missing:
        raise ConfigError(f"learner: {type(learner).__name__} lacks {', '.join(missing)} (learners.base.Learner)")
