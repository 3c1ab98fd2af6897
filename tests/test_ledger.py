"""The ledger: what is charged and what is only recorded."""

import time

from curriculum_rl.ledger import Ledger


def test_reports_are_recorded_and_not_charged() -> None:
    ledger = Ledger()
    ledger.charge("train", tokens=10, flops=30.0)
    ledger.charge("proxy", tokens=4, flops=4.0)
    ledger.charge("report", tokens=100, flops=100.0)
    ledger.charge("train", tokens=10, flops=30.0)
    assert ledger.charged == 64.0
    assert ledger.entries() == {
        "train": {"tokens": 20, "flops": 60.0},
        "proxy": {"tokens": 4, "flops": 4.0},
        "report": {"tokens": 100, "flops": 100.0},
    }


def test_seconds_are_booked_by_clock() -> None:
    ledger = Ledger()
    with ledger.timed("data"):
        time.sleep(0.01)
    assert 0.01 <= ledger.seconds["data"] < 1
    assert ledger.seconds["train"] == 0
