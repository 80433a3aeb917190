"""What programs report is added up: one answer cannot make the sum a number that says nothing any more."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from arcane.evaluations.schemas import VerdictIn
from arcane.experiments.schemas import ResultIn


@pytest.mark.parametrize("name", ["cost_usd", "latency_ms", "input_tokens", "output_tokens"])
@pytest.mark.parametrize("value", ["1e400", '"inf"', '"nan"', "1e300", "-1"])
def test_a_figure_is_one_that_can_be_added_up(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        ResultIn.model_validate_json(f'{{"row_id": "{uuid4()}", "{name}": {value}}}')


@pytest.mark.parametrize("value", ["1e400", '"inf"', '"nan"'])
def test_a_value_is_a_number(value: str) -> None:
    with pytest.raises(ValidationError):
        VerdictIn.model_validate_json(f'{{"value": {value}}}')


@pytest.mark.parametrize("value", ["\ud83d", {"a": ["\ud83d"]}, {"\ud83d": 1}])
def test_half_a_character_is_no_answer(value: Any) -> None:
    for given in ({"structured": value}, {"tool_calls": [{"arguments": value}]}):
        with pytest.raises(ValidationError, match="half of a character"):
            ResultIn.model_validate({"row_id": uuid4(), **given})


@pytest.mark.parametrize(("levels", "taken"), [(100, True), (101, False), (900, False)])
def test_an_answer_is_as_deep_as_it_can_be_shown(levels: int, taken: bool) -> None:
    nested: Any = 1
    for _ in range(levels):
        nested = [nested]
    with nullcontext() if taken else pytest.raises(ValidationError, match="levels deep"):
        assert ResultIn.model_validate({"row_id": uuid4(), "structured": nested}).structured == nested


@pytest.mark.parametrize("given", [{"cost_usd": 0.25, "latency_ms": 12.5}, {"input_tokens": 10, "output_tokens": 0}])
def test_usual_figures_are_taken(given: dict[str, Any]) -> None:
    taken = ResultIn(row_id=uuid4(), **given)
    assert {name: getattr(taken, name) for name in given} == given
