"""What a person fills in. The fields of the first contract are those that its servers were described with."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic.config import JsonDict

from arcane.spi import HttpConnection

TRACE_ID = "{traceId}"
ATTRIBUTE_NAME = "{attributeName}"
_FIRST: JsonDict = {"contract": ["auto", "v1"]}


def _path(title: str, description: str) -> str:
    found: str = Field(
        default="",
        title=title,
        description=description,
        pattern=r"^(/[^?#\s]*)?$",
        max_length=1_000,
        json_schema_extra={"group": "First contract", "when": _FIRST},
    )
    return found


def _switch(title: str, description: str) -> bool:
    found: bool = Field(
        default=False,
        title=title,
        description=description,
        json_schema_extra={"group": "First contract", "when": _FIRST},
    )
    return found


class CustomApiSettings(HttpConnection):
    """Where a server of ours or of a customer's is, which contract it keeps, and how it knows us."""

    url: str = Field(
        title="URL",
        description="What all paths are relative to, for instance https://traces.example.com/arcane.",
        json_schema_extra={"format": "uri"},
    )
    contract: Literal["auto", "v2", "v1"] = Field(
        default="auto",
        title="Contract",
        description="Found out by asking for /capabilities, unless it is said here.",
        json_schema_extra={"labels": {"auto": "Find out", "v2": "Second", "v1": "First"}},
    )
    search_path: str = _path("Search path", "For instance /traces/search. Servers of the second contract need none.")
    trace_path: str = _path("Trace path", "With {traceId} where the id goes: /traces/{traceId}.")
    attribute_names_path: str = _path("Attribute names path", "Empty when the server does not list attribute names.")
    attribute_values_path: str = _path(
        "Attribute values path", "With {attributeName} where the name goes. Empty when the server does not list values."
    )
    query_is_traceql: bool = _switch(
        "q is TraceQL", "Turn on when the server reads TraceQL in q and finds every trace that matches it."
    )
    search_by_attributes: bool = _switch(
        "Search by attributes", "Turn on when attributes finds every trace with a span or resource that has them."
    )
    search_by_existence: bool = _switch(
        "Search by existence", "Turn on when filterByAttributeExists finds every trace with a span that has them."
    )
    search_by_service: bool = _switch(
        "Search by service, operation and duration",
        "Turn on when serviceName and operationName are those of any span of a trace, and not of its root alone.",
    )
    max_limit: int = Field(
        default=100,
        ge=60,
        le=10_000,
        title="Most traces of a search",
        description="A limit that the server keeps to the number. One that cuts earlier hides traces.",
        json_schema_extra={"group": "First contract", "when": _FIRST},
    )

    @model_validator(mode="after")
    def _paths_fit(self) -> Self:
        if self.contract == "v1" and not self.search_path:
            raise ValueError("the first contract needs a search path")
        if self.search_path and self.trace_path.count(TRACE_ID) != 1:
            raise ValueError("the trace path needs {traceId} once")
        if self.attribute_values_path and self.attribute_values_path.count(ATTRIBUTE_NAME) != 1:
            raise ValueError("the attribute values path needs {attributeName} once")
        return self
