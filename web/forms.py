"""Forms: what was entered comes back with the answer, each error beside its field."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from arcane.access.service.sessions import Client
from arcane.kit.problems import Problem
from web.flash import flash

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
    """Returns the form with what `problem` says: at the fields it points to, else above the form."""
    errors: dict[str, str] = {}
    for error in problem.members.get("errors", ()):
        errors.setdefault(field_of(str(error.get("pointer", ""))), str(error.get("detail", "")))
    known = {name: text for name, text in errors.items() if name}
    return FormState(values, known, "" if known else problem.detail)


def invalid(values: Mapping[str, str], error: ValidationError) -> FormState:
    """Returns the form with what its schema found wrong."""
    found = {str(item["loc"][0]) if item["loc"] else "": item["msg"] for item in error.errors()}
    return FormState(
        values, {name: _sentence(text) for name, text in found.items() if name}, _sentence(found.get("", ""))
    )


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


def _sentence(text: str) -> str:
    return text.removeprefix("Value error, ")


def uuid_of(text: str) -> UUID:
    """Returns the id that a form names, or one that nothing has: the service then says it is unknown."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
