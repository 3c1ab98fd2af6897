"""A replica's bits depend on its own seed and data alone: not on neighbours, nor on when those are reset."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig
from curriculum_rl.schema.learners import OptimizerConfig

KINDS = ("causal", "mixed", "masked")


def _learner(replicas=1, *, accumulate=1, **changes):
    config = TransformerConfig(**({"vocab_size": 50, "layers": 1, "width": 32, "heads": 2, "context": 16} | changes))
    return BatchedLearner(config, OptimizerConfig(accumulate=accumulate), replicas=replicas, pad_id=0)


def _one(plan, n):
    batch = plan.batches
    part = Batch(
        *(tensor[:, n : n + 1] for tensor in (batch.input_ids, batch.targets, batch.weights, batch.causal)),
    )
    return SegmentPlan(part, plan.learning_rates[:, n : n + 1])


def _same(alone, together, n):
    assert alone.flat.steps[0] == together.flat.steps[n]
    for mine, theirs in zip(alone.flat.state, together.flat.state, strict=True):
        blocks = together.flat.blocks(theirs)
        for name, block in alone.flat.blocks(mine).items():
            assert torch.equal(block[0], blocks[name][n]), name


@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_bits_of_a_replica_alone_among_neighbours_and_after_their_resets(make_plan, data):
    torch.set_num_threads(1)
    count = data.draw(st.sampled_from([1, 2, 5, 8]), label="replicas")
    kinds = tuple(data.draw(st.lists(st.sampled_from(KINDS), min_size=count, max_size=count), label="kinds"))
    accumulate = data.draw(st.sampled_from([1, 2]), label="accumulate")
    rows = accumulate * data.draw(st.integers(1, 5), label="rows")
    length = data.draw(st.sampled_from([7, 16, 64]), label="length")  # up to 640 positions: several chunks
    rates = tuple(data.draw(st.lists(st.sampled_from([1e-2, 3e-3]), min_size=count, max_size=count), label="rates"))
    changes = {
        "accumulate": accumulate,
        "context": length,
        "vocab_size": data.draw(st.sampled_from([50, 64]), label="vocab"),
        "tied": data.draw(st.booleans(), label="tied"),
        "dropout": data.draw(st.sampled_from([0.0, 0.25]), label="dropout"),
        "activation": data.draw(st.sampled_from(["relu2", "gelu", "silu"]), label="activation"),
    }
    reset = data.draw(st.lists(st.integers(0, count - 1), unique=True), label="reset")
    plans = [make_plan(kinds=kinds, rates=rates, rows=rows, length=length, updates=2, seed=seed) for seed in range(2)]
    together = _learner(count, **changes)
    together.reset(range(10, 10 + count))
    reports = [together.train(plans[0])]
    together.reset([100 + n for n in reset], reset)
    assert together.flat.steps.tolist() == [0 if n in reset else 2 for n in range(count)]
    reports.append(together.train(plans[1]))
    for n in range(count):
        alone = _learner(**changes)
        alone.reset([10 + n])
        found = [alone.train(_one(plans[0], n))]
        if n in reset:
            alone.reset([100 + n])
        found.append(alone.train(_one(plans[1], n)))
        _same(alone, together, n)
        for mine, theirs in zip(found, reports, strict=True):
            np.testing.assert_array_equal(mine.row_losses[:, 0], theirs.row_losses[:, n])
            np.testing.assert_array_equal(mine.gradient_norms[:, 0], theirs.gradient_norms[:, n])
        assert torch.equal(
            alone.token_losses(_one(plans[0], n).batches[0])[0], together.token_losses(plans[0].batches[0])[n]
        )
