"""Regular expressions as TraceQL has them: RE2, the whole text has to match, a dot matches a line break."""

from __future__ import annotations

from collections.abc import Callable

import re2


class BadPattern(ValueError):
    """The text is not a regular expression that RE2 takes."""


def compile_pattern(pattern: str, ignore_case: bool = False) -> Callable[[str], bool]:
    """Returns a test for whole texts, in time linear to the text; raises BadPattern."""
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        fullmatch = re2.compile(pattern, options).fullmatch
    except re2.error as bad:
        reason = bad.args[0] if bad.args else b""
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise BadPattern(text) from None

    def matches(text: str) -> bool:
        try:
            return fullmatch(text) is not None
        except UnicodeEncodeError:  # a lone surrogate: no text of any backend, and no match
            return False

    return matches
