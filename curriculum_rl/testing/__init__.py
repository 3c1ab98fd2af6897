"""Contracts that a class of your own must keep, as test classes to subclass, and toys to test it on.

These modules need pytest: `pip install pytest`.
"""

from pathlib import Path

import pytest

# So that a broken promise shows its numbers in a project that is not this one.
pytest.register_assert_rewrite(*(f"{__name__}.{path.stem}" for path in Path(__file__).parent.glob("[a-z]*.py")))
