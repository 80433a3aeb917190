"""Constants and names, between their text and their value."""

from __future__ import annotations

import re

INT_MIN, INT_MAX = -(2**63), 2**63 - 1

_NANOS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
    "y": 31_536_000_000_000_000,
}
_DURATION_PART = re.compile(r"(\d*)\.?(\d*)(ns|us|µs|μs|ms|[smhdwy])")
_ESCAPE = re.compile(
    r"\\(?:(?P<byte>x[0-9a-fA-F]{2}|[0-7]{3})"
    r"|(?P<point>u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"
    r'|(?P<simple>[abfnrtv\\"])'
    r"|(?P<bad>.?))",
    re.DOTALL,
)
_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}
_SPELLED = {value: f"\\{letter}" for letter, value in _SIMPLE.items()}
_PLAIN_NAME = re.compile(r'[^\s{}()=~!<>&|^,"\\]+')


class BadEscape(ValueError):
    """An escape sequence in a quoted text is not one; `offset` is where in the text it stands."""

    def __init__(self, message: str, offset: int, length: int) -> None:
        super().__init__(message)
        self.offset = offset
        self.length = length


def unquote(text: str) -> str:
    """Returns the value of a string literal with its quotes, `"a\\n"` or `` `raw` ``; raises BadEscape.

    Escapes are Go's: `\\xff` and `\\377` are bytes, and all bytes together have to be UTF-8.
    """
    if text[0] == "`":
        return text[1:-1].replace("\r", "")
    parts: list[bytes] = []
    done, body = 0, text[1:-1]
    for escape in _ESCAPE.finditer(body):
        parts.append(body[done : escape.start()].encode())
        parts.append(_unescape(escape))
        done = escape.end()
    parts.append(body[done:].encode())
    try:
        return b"".join(parts).decode()
    except UnicodeDecodeError:
        raise BadEscape("the escaped bytes are not valid UTF-8", 0, len(text)) from None


def _unescape(escape: re.Match[str]) -> bytes:
    kind, text = escape.lastgroup, escape[0][1:]
    if kind == "simple":
        return bytes([_SIMPLE[text]])
    if kind == "byte":
        value = int(text[1:], 16) if text[0] == "x" else int(text, 8)
        if value < 256:
            return bytes([value])
    if kind == "point":
        value = int(text[1:], 16)
        if value < 0xD800 or 0xE000 <= value < 0x110000:
            return chr(value).encode()
    raise BadEscape(f"`{escape[0]}` is not an escape sequence", escape.start() + 1, len(escape[0]))


def quote(value: str) -> str:
    """Returns `value` as a string literal in double quotes; `unquote` gives it back."""
    return f'"{"".join(_spell(character) for character in value)}"'


def _spell(character: str) -> str:
    code = ord(character)
    if code in _SPELLED:
        return _SPELLED[code]
    return f"\\x{code:02x}" if code < 32 or code == 127 else character


def parse_name(text: str) -> str:
    """Returns an attribute name, parts of which may be quoted: `a."b c"` is `a.b c`; raises BadEscape.

    Inside the quotes only `\\"` and `\\\\` are escapes; outside, a backslash is a character of the name.
    """
    if '"' not in text:
        return text
    parts: list[str] = []
    quoted = False
    offset = 0
    while offset < len(text):
        character = text[offset]
        if character == '"':
            quoted = not quoted
        elif quoted and character == "\\":
            offset += 1
            character = text[offset]
            if character not in '"\\':
                message = f"`\\{character}` is not an escape sequence in an attribute name"
                raise BadEscape(message, offset - 1, 2)
            parts.append(character)
        else:
            parts.append(character)
        offset += 1
    return "".join(parts)


def spell_name(name: str) -> str:
    """Returns `name` as it stands after a scope's dot, in quotes where it needs them."""
    if _PLAIN_NAME.fullmatch(name) and not name[0].isdigit():
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_int(text: str) -> int | None:
    """Returns the integer, or None when it does not fit into 64 bits."""
    digits = text.lstrip("0") or "0"
    value = int(digits) if len(digits) <= 19 else INT_MAX + 1
    return value if value <= INT_MAX else None


def parse_float(text: str) -> float | None:
    """Returns the number, or None when it is too large for a float."""
    value = float(text)
    return value if value != float("inf") else None


def parse_duration(text: str) -> int | None:
    """Returns nanoseconds, cut to whole ones, or None when they do not fit into 64 bits: `1h30m`, `1.5s`, `.5d`."""
    total = 0
    for whole, fraction, unit in _DURATION_PART.findall(text):
        nanos = _NANOS[unit]
        digits = fraction[:19]  # finer than a nanosecond of a year
        whole = whole.lstrip("0")
        if len(whole) > 19:
            return None
        total += int(whole or 0) * nanos + int(digits or 0) * nanos // 10 ** len(digits)
    return total if total <= INT_MAX else None


def spell_duration(nanos: int) -> str:
    """Returns `nanos` as Go writes a duration, without units that are zero: `1h30m`, `1.5s`, `46ms`, `0s`."""
    sign, rest = ("-", -nanos) if nanos < 0 else ("", nanos)
    if rest == 0:
        return "0s"
    if rest < _NANOS["s"]:
        unit = next(unit for unit in ("ms", "us", "ns") if rest >= _NANOS[unit])
        return f"{sign}{_decimal(rest, _NANOS[unit])}{unit}"
    minutes, rest = divmod(rest, _NANOS["m"])
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
    seconds = f"{_decimal(rest, _NANOS['s'])}s" if rest else ""
    return sign + "".join(parts) + seconds


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0") if rest else str(whole)
