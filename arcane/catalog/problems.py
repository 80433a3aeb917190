"""What can be wrong with a request about datasources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arcane.kit.problems import Conflict, NotFound, Problem


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one part of a datasource. `pointer` is a JSON pointer into the request: `#/settings/url`."""

    pointer: str
    detail: str


class UnknownDatasource(NotFound):
    """No datasource of the caller's organisation has this id."""

    slug = "unknown-datasource"
    title = "Unknown datasource"


class DatasourceNameTaken(Conflict):
    """Another datasource of the organisation has this name."""

    slug = "datasource-name-taken"
    title = "Datasource name taken"


class DatasourceChanged(Conflict):
    """Somebody else changed the datasource since the version the request names."""

    slug = "datasource-changed"
    title = "Datasource changed"


class DatasourceLimit(Conflict):
    """The organisation has as many datasources as this instance allows."""

    slug = "datasource-limit"
    title = "Too many datasources"


class InvalidDatasource(Problem):
    """The settings cannot work; `errors` points at the fields."""

    status = 422
    slug = "invalid-datasource"
    title = "Invalid datasource"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        listed = [{"pointer": error.pointer, "detail": error.detail} for error in errors]
        super().__init__(f"{len(listed)} field(s) of the datasource need a look", errors=listed)
