from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field, SecretStr

from arcane.catalog.form import Choice, Condition, FieldType, form_of, settings_from_form
from tests.support.plugins import ProbeSettings

FORM = form_of(ProbeSettings)
BY_NAME = {field.name: field for field in FORM}


def test_every_setting_is_a_field_in_order() -> None:
    assert [field.name for field in FORM] == [
        "url", "tenant", "mode", "limit", "verbose", "tags", "headers", "token", "note", "auth/user", "auth/password",
    ]  # fmt: skip
    assert {field.name: field.type for field in FORM} == {
        "url": FieldType.URL,
        "tenant": FieldType.TEXT,
        "mode": FieldType.CHOICE,
        "limit": FieldType.INTEGER,
        "verbose": FieldType.BOOLEAN,
        "tags": FieldType.LIST,
        "headers": FieldType.MAP,
        "token": FieldType.TEXT,
        "note": FieldType.MULTILINE,
        "auth/user": FieldType.TEXT,
        "auth/password": FieldType.TEXT,
    }


def test_labels_help_bounds_and_choices_come_from_the_model() -> None:
    assert (BY_NAME["url"].label, BY_NAME["url"].help, BY_NAME["url"].required) == ("URL", "Where it answers.", True)
    assert (BY_NAME["limit"].minimum, BY_NAME["limit"].maximum, BY_NAME["limit"].default) == (1, 99, 10)
    assert BY_NAME["tenant"].max_length == 20
    assert BY_NAME["mode"].choices == (Choice("fast", "Fast"), Choice("slow", "slow"))
    assert not BY_NAME["tenant"].required


def test_secrets_are_marked_and_have_no_default() -> None:
    assert {field.name for field in FORM if field.secret} == {"token", "auth/password", "headers"}
    assert all(field.default is None for field in FORM if field.secret)


def test_a_nested_model_is_a_group() -> None:
    assert {field.group for field in FORM if field.name.startswith("auth/")} == {"Authentication"}
    assert BY_NAME["url"].group == ""


class Choosy(BaseModel):
    """A field that counts only while another one says so, at the top and in a group."""

    class Proxy(BaseModel):
        used: bool = False
        address: str = Field(default="", json_schema_extra={"when": {"used": ["true"]}})

    auth: str = "none"
    token: SecretStr = Field(default=SecretStr(""), json_schema_extra={"when": {"auth": ["bearer", "header"]}})
    proxy: Proxy = Field(default_factory=Proxy)


def test_a_field_may_count_only_while_its_sibling_says_so() -> None:
    conditions = {field.name: field.when for field in form_of(Choosy)}
    assert conditions == {
        "auth": None,
        "token": Condition("auth", ("bearer", "header")),
        "proxy/used": None,
        "proxy/address": Condition("proxy/used", ("true",)),
    }


class Colour(StrEnum):
    RED = "red"


class Odd(BaseModel):
    colour: Colour = Colour.RED
    rates: list[float] = Field(default_factory=list)
    anything: Any = None
    ratio: float = Field(default=0.5, gt=0)


def test_what_has_no_field_of_its_own_is_json() -> None:
    assert [field.type for field in form_of(Odd)] == [
        FieldType.CHOICE,
        FieldType.JSON,
        FieldType.JSON,
        FieldType.NUMBER,
    ]


def test_a_posted_form_becomes_settings() -> None:
    posted = {
        "url": " https://tempo.example ",
        "tenant": "",
        "limit": "7",
        "verbose": "on",
        "tags": "a\r\n\r\nb ",
        "token": "",
        "auth/user": "me",
        "auth/password": " s3cret ",
        "unknown": "x",
    }
    assert settings_from_form(FORM, posted) == {
        "url": "https://tempo.example",
        "tenant": None,
        "limit": 7,
        "verbose": True,
        "tags": ["a", "b"],
        "auth": {"user": "me", "password": " s3cret "},
    }


def test_what_does_not_fit_stays_a_text_for_the_model_to_refuse() -> None:
    assert settings_from_form(FORM, {"limit": "many", "headers": "X-A: 1\nX-B: a:b"}) == {
        "limit": "many",
        "verbose": False,
        "headers": {"X-A": "1", "X-B": "a:b"},
    }
