"""What an attribute may hold, in OTLP's types.

OTLP's AnyValue has string, bool, int64, double, bytes, array and key-value list
(opentelemetry-proto, common.proto). Python's own types carry them; `int` and `float` stay
apart, because users see the difference.
"""

from typing import TypeAlias

AttributeValue: TypeAlias = "str | bool | int | float | bytes | list[AttributeValue] | dict[str, AttributeValue] | None"
Attributes: TypeAlias = dict[str, AttributeValue]

NO_ATTRIBUTES: Attributes = {}
