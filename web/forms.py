"""Forms: what was entered comes back with the answer, each error beside its field."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from arcane.access.service.sessions import Client
from arcane.kit.problems import MalformedInput, Problem
from web.flash import flash
from web.rendering import renderer_of

Shape = TypeVar("Shape", bound=BaseModel)

_LONGEST_AGENT = 400


@dataclass(frozen=True, slots=True)
class FormState:
    """A form as it was sent: values by field, errors by field, and one message for the whole."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    message: str = ""
    reveal: str = ""
    """What the form made and nobody will see again: a key, a link."""

    def value(self, name: str, default: str = "") -> str:
        """What the person typed into `name`."""
        return self.values.get(name, default)

    def error(self, name: str) -> str:
        """What is wrong with `name`, "" when nothing is."""
        return self.errors.get(name, "")

    @property
    def failed(self) -> bool:
        """True when the form has to be looked at again."""
        return bool(self.errors or self.message)


def refused(values: Mapping[str, str], problem: Problem) -> FormState:
    """Returns the form with what `problem` says: at the fields of `values` it points to, the rest above the form."""
    errors: dict[str, str] = {}
    for error in problem.members.get("errors", ()):
        errors.setdefault(field_of(str(error.get("pointer", ""))), str(error.get("detail", "")))
    beside = {name: text for name, text in errors.items() if name in values}
    above = [text for name, text in errors.items() if name not in values]
    return FormState(values, beside, "; ".join(above) if errors else problem.detail)


def parsed(request: Request, schema: type[Shape], values: Mapping[str, object]) -> Shape:
    """Returns what a form says as its schema; raises MalformedInput with a sentence for every field that is wrong."""
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        wrong = [
            {"pointer": "#/" + "/".join(map(str, item["loc"])), "detail": _sentence(request, item)}
            for item in error.errors()
        ]
        raise MalformedInput(wrong[0]["detail"], errors=wrong) from None


def field_of(pointer: str) -> str:
    """Returns the field of the form that a JSON pointer means: `#/settings/auth/token` is `auth/token`."""
    return pointer.lstrip("#/").removeprefix("settings/")


async def entered(request: Request) -> dict[str, str]:
    """Returns the form's fields as text; files and repeated fields are not for these forms."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def client_of(request: Request) -> Client:
    """Returns where the request comes from, as sessions list it."""
    address = request.client.host if request.client is not None else "unknown"
    return Client(address, request.headers.get("user-agent", "")[:_LONGEST_AGENT])


async def act(request: Request, work: Awaitable[object], to: str, said: str) -> Response:
    """Returns to `to` once `work` is done and says so there, or says there why it was not done."""
    response = RedirectResponse(to, 303)
    try:
        await work
    except Problem as problem:
        if problem.status == 404:
            raise
        flash(request, response, problem.detail, "error")
    else:
        flash(request, response, said)
    return response


def local_path(path: str, otherwise: str = "/") -> str:
    """Returns `path` when it leads nowhere but to this host."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else otherwise


def _sentence(request: Request, item: ErrorDetails) -> str:
    """What is wrong, as one tells a person."""
    match item["type"]:
        case "missing" | "string_too_short" | "too_short":
            return say_to(request, "This is needed.")
        case "string_too_long" | "too_long":
            return say_to(request, "At most %(number)s characters.") % {"number": item["ctx"]["max_length"]}
        case "string_pattern_mismatch":
            return say_to(request, "Only lower-case letters, digits, and hyphens between them.")
        case "uuid_parsing" | "enum" | "literal_error":
            return say_to(request, "Choose one of the list.")
    return item["msg"].removeprefix("Value error, ")


def say_to(request: Request, text: str) -> str:
    """Returns `text` in the language of whoever asks."""
    return renderer_of(request).language(request).gettext(text)


def uuid_of(text: str) -> UUID:
    """Returns the id that a form names, or one that nothing has: the service then says it is unknown."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
