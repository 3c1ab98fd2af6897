"""A class that breaks one promise fails the property that is about it: every property of every contract finds one."""

import inspect

import pytest
from agent_mutants import AGENTS
from learner_mutants import LEARNERS
from method_mutants import METHODS
from objective_mutants import OBJECTIVES
from proxy_mutants import PROXIES
from rule_mutants import MIXER_RULES, RULES
from signal_mutants import SIGNALS

from curriculum_rl.testing.agents import AgentContract
from curriculum_rl.testing.learners import LearnerContract
from curriculum_rl.testing.methods import MethodContract
from curriculum_rl.testing.objectives import ObjectiveContract
from curriculum_rl.testing.proxies import ProxyContract
from curriculum_rl.testing.rules import MixerRuleContract, RuleContract
from curriculum_rl.testing.signals import SignalContract

CONTRACTS = {
    AgentContract: AGENTS,
    RuleContract: RULES,
    MixerRuleContract: MIXER_RULES,
    ObjectiveContract: OBJECTIVES,
    LearnerContract: LEARNERS,
    ProxyContract: PROXIES,
    MethodContract: METHODS,
    SignalContract: SIGNALS,
}


def name_of(mutant):
    named = mutant.get("method", mutant)["kind"] if isinstance(mutant, dict) else mutant
    return named.rpartition(":")[2] if isinstance(named, str) else getattr(named, "__name__", type(named).__name__)


@pytest.mark.parametrize(
    ("contract", "name", "mutant", "message"),
    [
        pytest.param(contract, *row, id=f"{contract.__name__}-{name_of(row[1])}")
        for contract, rows in CONTRACTS.items()
        for row in rows
    ],
)
def test_a_broken_promise_is_found(contract, name, mutant, message, request):
    method = getattr(contract(), name)
    subject, *others = inspect.signature(method).parameters
    fixtures = {other: request.getfixturevalue(other) for other in others}
    with pytest.raises((AssertionError, pytest.fail.Exception), match=message):
        method(**{subject: mutant}, **fixtures)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_property_finds_one(contract):
    properties = {name for name in dir(contract) if name.startswith("test_")}
    assert properties == {name for name, *_ in CONTRACTS[contract]}
