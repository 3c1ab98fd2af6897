"""Which positions are scored, and how much each counts."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.learners.scoring import scored_limits, scored_positions, token_weights


def test_every_row_counts_the_same_however_many_tokens_it_scores():
    weights = torch.tensor([[[1.0, 1, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]]])
    shares = token_weights(weights)
    torch.testing.assert_close(shares.sum(dim=2), torch.tensor([[1 / 3, 1 / 3, 0]]))
    assert shares[0, 0, 0] == 1 / 12


def test_limits_are_whole_chunks_of_the_largest_count():
    weights = torch.zeros(4, 2, 2, 8)
    weights[0, 1, 0, :5] = 1
    weights[1, 0, 0] = 1
    weights[2] = 1
    weights[3, 1] = 1
    assert scored_limits(weights, 4) == [8, 8, None, 16]
    assert scored_limits(weights, 3) == [6, 9, None, 16]


@given(st.integers(0, 2**32), st.integers(1, 5))
def test_positions_hold_every_scored_one_first_and_in_order(seed, chunk):
    weights = (torch.rand(3, 12, generator=torch.Generator().manual_seed(seed)) < 0.4).float()
    (limit,) = scored_limits(weights.view(1, 3, 2, 6), chunk)
    for row, index in zip(weights, scored_positions(weights, limit), strict=True):
        wanted = row.nonzero().flatten()
        assert torch.equal(index[: len(wanted)], wanted)
        assert len(set(index.tolist())) == len(index)
