"""What a class of your own must keep, as test classes to subclass, and toys to try it on; pytest is needed.

Each kind has a module with its contract: `agents`, `rules`, `objectives`, `proxies`, `learners`, `methods`, `signals`.
A contract is a class of tests and one fixture: subclass it, and let the fixture return what is tested::

    pip install pytest
    pytest test_mine.py
"""

from pathlib import Path

import pytest

# So that a broken promise shows its numbers in a project that is not this one.
pytest.register_assert_rewrite(*(f"{__name__}.{path.stem}" for path in Path(__file__).parent.glob("[a-z]*.py")))
