"""What can be said of an environment before it runs: a predicted gain, passes, prices of signals, noise of the proxy.

Shape letter: K tasks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.experiment import Experiment
from curriculum_rl.pretraining.counting import stratified_rows
from curriculum_rl.pretraining.prices import ProxyPrice, SignalPrice, price_of_proxy, price_of_signal
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.priors import em, likelihoods
from curriculum_rl.priors.calibration import Prediction, effective, predicted
from curriculum_rl.priors.gain import READ, counted_gain
from curriculum_rl.priors.likelihoods import Tokens
from curriculum_rl.priors.tasks import PriorName, no_text, prior, text_worths, weights_of_texts
from curriculum_rl.signals import SIGNALS
from curriculum_rl.text import divergence
from curriculum_rl.text.cache import Cache

Floats = npt.NDArray[np.float64]

MOST = 0.2
"""Share of one run's FLOPs that an audit may cost."""
_PER_TOKEN = 100  # operations: sorted and looked up, as pairs and as triples


@dataclass(frozen=True)
class PriorAudit:
    """What a prior promises.

    Attributes:
        shares: (K,) of the tasks.
        effective: how many different texts it amounts to.
        gain: over an even mixture of the tasks.
    """

    shares: Floats
    effective: float
    gain: Prediction


@dataclass(frozen=True)
class Audit:
    """All of it.

    Attributes:
        priors: by name, that of the environment first.
        passes: by text, over it in the whole budget where every task gets as many rows, and under the first prior.
        signals: by name.
        proxy: of the environment.
        budget: FLOPs of one run.
        updates: that they pay for where nothing is measured.
        flops: that the audit cost, at most.
    """

    priors: Mapping[PriorName, PriorAudit]
    passes: Mapping[str, tuple[float, float]]
    signals: Mapping[str, SignalPrice]
    proxy: ProxyPrice
    budget: float
    updates: int
    flops: float


def audit(experiment: Experiment, cache: Cache | None = None) -> Audit:
    """Audit an environment: text is counted and an untrained learner is read; nothing is trained for it.

    Args:
        experiment: the environment.
        cache: where weights of texts are kept; None: the default place.

    Raises:
        ConfigError: where the target's signal split is too short to be halved.
    """
    names: tuple[PriorName, ...] = ("js", "em") if experiment.config.target.prior == "js" else ("em", "js")
    run = Pretraining(experiment, charge_proxy=False, downstream=False)
    rows, counting = stratified_rows(run), _flops_of_counting(experiment)
    read = sum(rows.values()) * experiment.config.context
    priors = {name: audited(experiment, name, cache or Cache(), tokens=read) for name in names}
    proxy = price_of_proxy(run, MOST * run.budget - counting)
    return Audit(
        priors=priors,
        passes=_passes(experiment, rows, priors[names[0]].shares),
        signals={name: price_of_signal(run, name) for name in SIGNALS},
        proxy=proxy,
        budget=run.budget,
        updates=sum(rows.values()) // run.config.batch,
        flops=counting + proxy.flops,
    )


def audited(experiment: Experiment, name: PriorName, cache: Cache, *, tokens: int = READ) -> PriorAudit:
    """A prior, and its predicted gain over an even mixture of all tasks but the one on the signal split.

    Args:
        experiment: the environment.
        name: of the prior.
        cache: where weights of texts are kept.
        tokens: that a run trains on; counting reads no more.
    """
    problem, tokenizer = experiment.problem, experiment.tokenizer
    signal, objective = problem.target.text["signal"], problem.target_objective
    shares = prior(name, problem.tasks, signal, objective=objective, tokenizer=tokenizer, cache=cache)
    worths = text_worths(problem.tasks, signal, objective)
    tasks = [task.corpus.sha256 for task in problem.tasks if task.corpus is not signal]
    texts = {task.corpus.sha256: task.corpus.tokens for task in problem.tasks if task.corpus is not signal}
    weighed = [text for text in texts if worths[text] > 0]

    def weigh(target: Tokens) -> Floats:
        found = weights_of_texts(name, [texts[text] for text in weighed], target, tokenizer)
        mine = {text: weight * worths[text] for text, weight in zip(weighed, found.tolist(), strict=True)}
        mixture = np.array([mine.get(text, 0.0) for text in texts])
        return np.asarray(mixture / mixture.sum())

    even = np.array([tasks.count(text) / len(tasks) for text in texts])
    counted = counted_gain(
        weigh,
        even,
        signal.tokens,
        list(texts.values()),
        tokenizer.vocab_size,
        end=tokenizer.eos_id,
        ignored=no_text(tokenizer),
        tokens=tokens,
    )
    by_text: dict[str, float] = {}
    for task, share in zip(problem.tasks, shares.tolist(), strict=True):
        by_text[task.corpus.sha256] = by_text.get(task.corpus.sha256, 0.0) + share
    return PriorAudit(shares, effective(list(by_text.values())), predicted(counted, name))


def _passes(experiment: Experiment, rows: Mapping[str, int], shares: Floats) -> dict[str, tuple[float, float]]:
    """Passes over each text by all its tasks: where all get as many rows, and under some shares of the rows."""
    problem, total = experiment.problem, sum(rows.values())
    found: dict[str, tuple[float, float]] = {}
    for task, size, share in zip(problem.tasks, problem.windows.tolist(), shares.tolist(), strict=True):
        name = f"{task.corpus.name} (labelled)" if task.objective.labelled else task.corpus.name
        even, weighed = found.get(name, (0.0, 0.0))
        found[name] = even + rows[task.name] / size, weighed + total * share / size
    return found


def _flops_of_counting(experiment: Experiment) -> float:
    """Leading terms of what both priors' weights and gains take, at most."""
    problem = experiment.problem
    texts, signal = {task.corpus.sha256 for task in problem.tasks}, problem.target.text["signal"].tokens
    size = problem.tokenizer.vocab_size
    whole = np.asarray(signal).astype(np.int64)
    pairs = min(len(np.unique(whole[:-1] * size + whole[1:])), likelihoods.TARGET)
    counted = ((len(texts) + 1) * likelihoods.MOST + READ) * _PER_TOKEN
    return 3.0 * em.most_flops(pairs, len(texts)) + 6.0 * counted + 6.0 * divergence.FLOPS_PER_TERM * size * len(texts)
