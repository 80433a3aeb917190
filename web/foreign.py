"""What others than Arcane say on its pages: pydantic, about a field that does not fit its type.

Its sentences come in English with their values filled in. A page finds here the template that each was made of, as it
does for a sentence of our own (web/i18n.py).
"""

from __future__ import annotations

from arcane.model.notice import Notice

PYDANTIC = (
    Notice("Field required"),
    Notice("Extra inputs are not permitted"),
    Notice("Input should be %(choices)s"),
    Notice("Input should be a finite number"),
    Notice("Input should be a valid boolean"),
    Notice("Input should be a valid boolean, unable to interpret input"),
    Notice("Input should be a valid datetime"),
    Notice("Input should be a valid dictionary"),
    Notice("Input should be a valid integer"),
    Notice("Input should be a valid integer, got a number with a fractional part"),
    Notice("Input should be a valid integer, unable to parse string as an integer"),
    Notice("Input should be a valid list"),
    Notice("Input should be a valid number"),
    Notice("Input should be a valid number, unable to parse string as a number"),
    Notice("Input should be a valid string"),
    Notice("Input should be a valid URL, %(error)s"),
    Notice("Input should be a valid UUID, %(error)s"),
    Notice("Input should be greater than %(bound)s"),
    Notice("Input should be greater than or equal to %(bound)s"),
    Notice("Input should be less than %(bound)s"),
    Notice("Input should be less than or equal to %(bound)s"),
    Notice("String should have at least %(length)s character"),
    Notice("String should have at least %(length)s characters"),
    Notice("String should have at most %(length)s characters"),
    Notice("String should match pattern '%(pattern)s'"),
    Notice("URL input should be a string or URL"),
    Notice("UUID input should be a string, bytes or UUID object"),
)
