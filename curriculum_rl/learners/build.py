"""The learner that an environment file describes, and the weights that it begins with."""

from pathlib import Path

from curriculum_rl.durable import sha256
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.causality import check_causal
from curriculum_rl.plugins import built_in, custom
from curriculum_rl.problem import Problem
from curriculum_rl.schema import Custom, EnvConfig
from curriculum_rl.text.documents import sha256_of
from curriculum_rl.text.tokenizers import SPECIALS_FILE, Tokenizer, load_tokenizer


def make_learner(config: EnvConfig, problem: Problem, *, replicas: int = 1) -> Learner:
    """N learners as the environment says, not yet reset.

    Raises:
        ConfigError: for fewer than one replica, what the device cannot do or has no memory for, a model that cannot be
            made, or one that cannot do a task's objective.
    """
    learner = learner_of(config, problem.tokenizer, replicas=replicas)
    for task in problem.tasks:
        if not (learner.causal_rows if task.objective.causal else learner.bidirectional_rows):
            way = "left to right" if task.objective.causal else "in both directions"
            raise ConfigError(f"tasks: {task.name} needs a learner that reads {way}; learner.head says otherwise")
    return learner


def learner_of(config: EnvConfig, tokenizer: Tokenizer, *, replicas: int = 1) -> Learner:
    """The same for whatever tasks; one of the user's own that reads left to right is reset, and tried.

    Raises:
        ConfigError: as `make_learner`.
    """
    if replicas < 1:
        raise wrong("replicas (num_envs)", replicas, "at least 1")
    section = config.learner
    model = getattr(section, "model", None)
    if isinstance(model, str):
        check_tokenizer(Path(model), tokenizer)
    if isinstance(section, Custom):
        given = {"tokenizer": tokenizer, "config": config, "optimizer": config.optimizer, "replicas": replicas}
        own: Learner = custom(section, Learner, "learner", **given)
        if own.causal_rows:
            own.reset(range(own.replicas))
            check_causal(own)
        return own
    made: Learner = built_in(section).build(section, config, tokenizer, replicas=replicas)
    return made


def check_tokenizer(directory: Path, tokenizer: Tokenizer) -> None:
    """See that a learner that a run saved comes to the tokens it knows; they are numbers, under others other words.

    Args:
        directory: of the learner; one of a run's shards has its tokenizer in the folder above.
        tokenizer: of the environment that it comes into.

    Raises:
        ConfigError: where the tokenizer that was saved with it is another.
    """
    own = directory.parent if directory.name.startswith("shard-") else directory
    if (own / SPECIALS_FILE).is_file() and load_tokenizer(own).fingerprint != tokenizer.fingerprint:
        raise ConfigError(
            f"learner: {str(directory)!r} was trained with another tokenizer than this environment's "
            f"(its own: tokenizer: {{kind: transformers, path: {own}}})"
        )


def weights_sha256(config: EnvConfig) -> str | None:
    """What names the content of the `model` that a learner begins with; None where its weights are drawn.

    Of a directory its JSON and safetensors files count, of a name on a hub the revision that is kept here.
    """
    model = getattr(config.learner, "model", None)
    if not isinstance(model, str):
        return None
    if Path(model).is_dir():
        files = sorted(path for path in Path(model).iterdir() if path.suffix in (".json", ".safetensors"))
        return sha256_of("model", [[path.name, sha256(path)] for path in files])
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(model, "config.json")
    except ValueError:  # no name that a hub could have: loading it says so
        found = None
    return sha256_of("model", model, Path(found).parent.name if isinstance(found, str) else None)
