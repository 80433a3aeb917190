"""Variables and columns: what is not said is guessed by name, and what does not fit is said whole."""

from __future__ import annotations

import pytest

from arcane.experiments.mapping import completed
from arcane.experiments.problems import BadMapping


def test_variables_take_the_columns_of_their_own_names() -> None:
    assert completed(["question"], ["question"], ["id", "question"], {}) == {"question": "question"}


def test_what_is_said_goes_from_variable_to_column() -> None:
    assert completed(["question"], ["question"], ["user_input"], {"question": "user_input"}) == {
        "question": "user_input"
    }


def test_everything_that_does_not_fit_is_said_at_once() -> None:
    with pytest.raises(BadMapping) as refused:
        completed(
            ["question", "context"],
            ["question", "context"],
            ["user_input"],
            {"question": "nothing", "answer": "user_input"},
        )
    pointers = [error["pointer"] for error in refused.value.members["errors"]]
    assert pointers == ["#/mapping/answer", "#/mapping/question", "#/mapping"]
    assert "the prompt has no variable answer; it has question, context" in refused.value.detail
    assert "the dataset has no column nothing; it has user_input" in refused.value.detail
    assert "the variable context of the prompt needs a column" in refused.value.detail


def test_a_prompt_without_variables_needs_no_columns() -> None:
    assert completed([], [], ["a"], {}) == {}


def test_long_lists_of_columns_are_cut_short() -> None:
    with pytest.raises(BadMapping, match="and 188 more"):
        completed(["question"], ["question"], [f"c{number}" for number in range(200)], {})


def test_what_a_template_can_do_without_may_stay_out() -> None:
    assert completed(["question", "hint"], ["question"], ["question"], {}) == {"question": "question"}
