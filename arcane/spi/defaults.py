"""Correct, slow answers for what an adapter leaves out, built on its `scan`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from arcane.model.deadline import Deadline
from arcane.spi.scan import AttributeName, AttributeQuery, AttributeValueCount, ScanPage, ScanRequest
from arcane.traceql.ast import Field


class Scans(Protocol):
    """The part of an adapter that the defaults need."""

    def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        """See Adapter.scan."""
        ...


async def scan_attribute_names(source: Scans, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
    """Returns the names found on the newest traces of the window."""
    raise NotImplementedError


async def scan_attribute_values(
    source: Scans, field: Field, query: AttributeQuery, deadline: Deadline
) -> list[AttributeValueCount]:
    """Returns the values of `field` found on the newest traces of the window."""
    raise NotImplementedError
