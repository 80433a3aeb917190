"""Finds out which contract a server keeps, once, and asks it by that from then on."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from arcane.spi import (
    Adapter,
    AttributeName,
    AttributeQuery,
    AttributeValueCount,
    BadResponse,
    Capabilities,
    Deadline,
    Field,
    Health,
    HttpRequest,
    HttpSession,
    Misconfigured,
    Notice,
    ScanPage,
    ScanRequest,
    SentRequest,
    TimeRange,
    Trace,
    TraceId,
)
from datasources.custom_api.answers import error_of
from datasources.custom_api.settings import CustomApiSettings
from datasources.custom_api.v1.adapter import FirstContract
from datasources.custom_api.v2 import decode
from datasources.custom_api.v2.adapter import SecondContract

_NO_SUCH_ROUTE = (400, 404, 405, 501)
_NOT_FOR_EVERYONE = (401, 403)
"""What some gateways say of a route that they do not have."""


def adapter_of(http: HttpSession, settings: CustomApiSettings) -> Adapter:
    """Returns the adapter for the contract that the settings name, or the one that finds out which it is."""
    match settings.contract:
        case "v1":
            return FirstContract(http, settings)
        case "v2":
            return SecondContract(http)
    return ProbingAdapter(http, settings)


class ProbingAdapter(Adapter):
    """A server of one of the two contracts. Until it has been asked, nothing is taken for granted."""

    def __init__(self, http: HttpSession, settings: CustomApiSettings) -> None:
        self._http = http
        self._settings = settings
        self._found: FirstContract | SecondContract | None = None

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override] # known once the contract is
        return self._found.capabilities if self._found else Capabilities(max_limit=self._settings.max_limit)

    async def scan(self, request: ScanRequest, deadline: Deadline) -> AsyncGenerator[ScanPage, None]:
        adapter = await self._adapter(deadline)
        async with aclosing(adapter.scan(request, deadline)) as pages:
            async for page in pages:
                yield page

    async def get_trace(self, trace_id: TraceId, within: TimeRange | None, deadline: Deadline) -> Trace | None:
        return await (await self._adapter(deadline)).get_trace(trace_id, within, deadline)

    def describe(self, request: ScanRequest, *, whole: bool) -> tuple[SentRequest, ...]:
        """Until the server has been asked, only what will be asked first is known."""
        if self._found is not None:
            return self._found.describe(request, whole=whole)
        if self._settings.search_path:
            note = Notice("first, because the contract that the server keeps decides what follows")
            return (SentRequest("GET", decode.CAPABILITIES, note=note),)
        return SecondContract(self._http).describe(request, whole=whole)

    async def check(self, deadline: Deadline) -> Health:
        self._found = None
        return await (await self._adapter(deadline)).check(deadline)

    async def attribute_names(self, query: AttributeQuery, deadline: Deadline) -> list[AttributeName]:
        return await (await self._adapter(deadline)).attribute_names(query, deadline)

    async def attribute_values(
        self, field: Field, query: AttributeQuery, deadline: Deadline
    ) -> list[AttributeValueCount]:
        return await (await self._adapter(deadline)).attribute_values(field, query, deadline)

    async def _adapter(self, deadline: Deadline) -> FirstContract | SecondContract:
        if self._found is None:
            self._found = await self._probed(deadline)
        return self._found

    async def _probed(self, deadline: Deadline) -> FirstContract | SecondContract:
        """Servers of the first contract have no /capabilities; what they say to it is anything."""
        response = await self._http.send(HttpRequest(decode.CAPABILITIES), deadline)
        is_first = bool(self._settings.search_path)
        if response.status == 200:
            try:
                document = decode.decode_document(response.body)
            except BadResponse:
                if not is_first:
                    raise
                return FirstContract(self._http, self._settings)
            found = SecondContract(self._http)
            found.learn(document)
            return found
        if response.status in (_NO_SUCH_ROUTE + _NOT_FOR_EVERYONE if is_first else ()):
            return FirstContract(self._http, self._settings)
        if response.status in _NO_SUCH_ROUTE:
            raise Misconfigured(
                Notice("There is no /capabilities at this address, and no search path for the first contract is set.")
            )
        raise error_of(response, decode.CAPABILITIES)
