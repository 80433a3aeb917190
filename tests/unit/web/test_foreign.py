"""The sentences of pydantic that a page can tell in another language are those that pydantic says."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal
from uuid import UUID

import pytest
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, ValidationError

from web.foreign import PYDANTIC


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    choice: Literal["a", "b"]
    finite: float = Field(allow_inf_nan=False)
    flag: bool
    moment: datetime
    mapping: dict[str, str]
    whole: int = Field(ge=2, le=3)
    between: float = Field(gt=2, lt=3)
    items: list[str]
    text: str = Field(min_length=2, max_length=3, pattern="^[a-z]+$")
    nonempty: str = Field(min_length=1)
    address: AnyHttpUrl
    id: UUID


@pytest.mark.parametrize("value", [None, "x", "", -1, 9, 2.5, float("inf"), "LONG TEXT", "LO", {}, []], ids=repr)
def test_what_pydantic_says_about_a_field_is_known(value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Everything.model_validate({**dict.fromkeys(Everything.model_fields, value), "more": 1})
    templates = [".+".join(map(re.escape, re.split(r"%\(\w+\)s", str(one)))) for one in PYDANTIC]
    said = {error["msg"] for error in refused.value.errors()}
    assert [text for text in said if not any(re.fullmatch(template, text) for template in templates)] == []
