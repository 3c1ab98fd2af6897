"""Fixtures for hand-made rows."""

from collections.abc import Callable

import numpy as np
import pytest
from known_words import ids_of

from curriculum_rl.draws import spread
from curriculum_rl.testing.objectives import known_tokenizer
from curriculum_rl.text.tokenizers import Tokenizer


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """A tokenizer of 24 words and 20 labels."""
    return known_tokenizer()


@pytest.fixture(scope="session")
def ids() -> Callable[[str], list[int]]:
    """The function `ids_of`."""
    return ids_of


@pytest.fixture(scope="session")
def keys() -> np.ndarray:
    """200 keys."""
    return spread(7, np.arange(200))
