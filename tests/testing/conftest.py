"""Names of agents that stand in this folder."""

import pytest

from curriculum_rl.agents import table


@pytest.fixture(autouse=True)
def _shim(monkeypatch):
    import agent_mutants

    real = table.class_of
    monkeypatch.setattr(
        table, "class_of", lambda name: getattr(agent_mutants, name.partition(":")[2]) if ":" in name else real(name)
    )
