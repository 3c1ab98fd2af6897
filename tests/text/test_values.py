"""Values as text: one spelling, nothing for what is missing."""

import math
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.text.values import is_list, spelled, whole_text


@pytest.mark.parametrize(
    "missing", [None, math.nan, -math.nan, "", " ", "\t\u00a0\n", "nan", "NaN", "-nan", Decimal("NaN")]
)
def test_nothing_is_missing(missing: object) -> None:
    assert spelled(missing) is None


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1, 1.0, "1", "1.0", " 1 ", Decimal("1.00"), Decimal(1)], "1"),
        ([0, 0.0, -0.0, "-0.0", "0", Decimal("-0")], "0"),
        ([-1, -1.0, "-1.0"], "-1"),
        ([True, "true", "True", "TRUE"], "true"),
        ([False, "false", "False"], "false"),
        ([0.1, "0.1", Decimal("0.1")], "0.1"),
        ([date(2020, 1, 2), "2020-01-02"], "2020-01-02"),
        ([2**53, float(2**53)], str(2**53)),
        ([3 * 10**16, 3e16, "3e+16"], "3" + "0" * 16),
        (["3e16"], "3e16"),
        (["01"], "01"),
        (["01.0"], "01.0"),
        (["1.10"], "1.10"),
        (["None"], "None"),
        (["no"], "no"),
        (["Nan"], "Nan"),
        (["half \ud800"], "half ?"),
    ],
)
def test_one_spelling(values: list[object], text: str) -> None:
    assert {spelled(value) for value in values} == {text}


@pytest.mark.parametrize("value", [[1], [], {"a": 1}, (1,), {1}, b"x"])
def test_what_is_no_single_value(value: object) -> None:
    with pytest.raises(TypeError, match=f"a {type(value).__name__}"):
        spelled(value)


@given(st.one_of(st.integers(-(2**53), 2**53), st.floats(-1e15, 1e15), st.booleans()))
def test_a_value_and_its_text_are_spelled_alike(value: float) -> None:
    assert spelled(value) == spelled(str(value)) == spelled(spelled(value))
    if not isinstance(value, bool):
        assert float(str(spelled(value))) == value


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        *(
            (text, True)
            for text in ("[]", "['a', 'b']", "['a' 'b']", '["a"]', "[1, 2]", "[0 1 1]", "{'a': 1}", "[[1], [2]]")
        ),
        *((text, True) for text in ("[true, null]", '{"id": 3, "known": false}', "{1}")),
        *(
            (text, False)
            for text in ("[50-60]", "[positive]", "(1, 2]", "[1, 2)", "{name}", "[", "a, b", "1", "[" * 99 + "]")
        ),
    ],
)
def test_lists_that_are_text(text: str, listed: bool) -> None:
    assert is_list(text) is listed


@given(st.text())
def test_whole_text_can_be_written(text: str) -> None:
    assert whole_text(text) == text
    assert whole_text(f"{text}\udc80").encode().decode() == f"{text}?"
