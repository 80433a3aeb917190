"""Attribute dialects of LLM tracing, brought into one view. Everything public is here."""

from arcane.conventions.calls import CallSettings, ToolDefinition, call_settings
from arcane.conventions.dialect import Dialect, TokenKeys
from arcane.conventions.messages import (
    Blob,
    Document,
    Exchange,
    Message,
    Other,
    Part,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Uri,
)
from arcane.conventions.prices import ListPrices, Prices
from arcane.conventions.registry import REGISTRY
from arcane.conventions.summary import LlmTotals, summarise
from arcane.conventions.view import Cost, CostSource, Kind, LlmView, Tokens
from arcane.conventions.views import messages_of, view_of

__all__ = [
    "REGISTRY",
    "Blob",
    "CallSettings",
    "Cost",
    "CostSource",
    "Dialect",
    "Document",
    "Exchange",
    "Kind",
    "ListPrices",
    "LlmTotals",
    "LlmView",
    "Message",
    "Other",
    "Part",
    "Prices",
    "Reasoning",
    "Role",
    "Text",
    "TokenKeys",
    "Tokens",
    "ToolCall",
    "ToolDefinition",
    "ToolResult",
    "Uri",
    "call_settings",
    "messages_of",
    "summarise",
    "view_of",
]
