"""Says in a person's words why a text is not TraceQL."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from types import MappingProxyType

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from arcane.traceql.ast import Position
from arcane.traceql.errors import SyntaxProblem
from arcane.traceql.stage_names import all_names, meant

_OPERANDS = frozenset({"ATTRIBUTE", "STRING", "INT"})
_MALFORMED_NUMBER = re.compile(r"[\d.]\w*[^\s{}()=~!<>&|^,]*")
_FOREIGN_OPERATORS: Mapping[str, str] = MappingProxyType(
    {"==": "=", "===": "=", "<>": "!=", "=>": ">=", "=<": "<=", "!==": "!=", "~=": "=~", "~": "=~"}
)
_WORD_BEFORE = re.compile(r"(?<!\w)([^\W\d]\w*)\s*\Z")
_LONGEST_WORD = 80
_OPERATOR_CHARACTERS = frozenset("=<>!~")
_FOREIGN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "and": "`and` is written &&",
        "or": "`or` is written ||",
        "not": "`not` is written !(...)",
        "in": 'there are no lists: write .a = 1 || .a = 2, or for text .a =~ "x|y"',
        "is": "`is nil` is written = nil, `is not nil` != nil",
        "like": 'patterns are regular expressions: .a =~ "prefix.*"',
        "contains": 'patterns are regular expressions: .a =~ ".*part.*"',
        "matches": 'patterns are regular expressions: .a =~ "prefix.*"',
        "between": "write .a >= 1 && .a <= 5",
        "where": "conditions stand in braces: { .a = 1 }",
    }
)


def diagnose(text: str, unexpected: UnexpectedInput) -> SyntaxProblem:
    """Returns the problem that made Lark stop at `unexpected`."""
    if isinstance(unexpected, UnexpectedToken):
        token = unexpected.token
        expected = frozenset(unexpected.accepts or ())
        if token.type == "$END":
            return _too_early(text, expected)
        return _misplaced(text, token, expected)
    assert isinstance(unexpected, UnexpectedCharacters)  # noqa: S101 - the LALR parser raises nothing else
    return _unreadable(text, unexpected)


def _too_early(text: str, expected: Set[str]) -> SyntaxProblem:
    if not text.strip():
        return SyntaxProblem("the query is empty", Position(1, 1), "{ } finds every span")
    position = _position_at(text, len(text.rstrip()))
    if "RBRACE" in expected:
        return SyntaxProblem("the closing brace is missing", position, "add }")
    if expected >= _OPERANDS:
        return SyntaxProblem("a value or an attribute is missing at the end", position)
    if "RPAR" in expected:
        return SyntaxProblem("the closing parenthesis is missing", position, "add )")
    if text.rstrip().endswith("|") and "BY" in expected:
        return SyntaxProblem("a stage is missing at the end", position, "as in | count() > 2 or | by(name)")
    if "LBRACE" in expected:
        return SyntaxProblem("a filter in braces is missing at the end", position, "add { }")
    return SyntaxProblem("the query ends too early", position, _next(expected))


def _misplaced(text: str, token: Token, expected: Set[str]) -> SyntaxProblem:
    start = token.start_pos or 0
    if text[max(0, start - 1) : start + 1] == "/*":
        return SyntaxProblem("the comment is not closed", _position_at(text, start - 1, 2), "add */")
    operator = _operator_around(text, start)
    if operator in _FOREIGN_OPERATORS and not (operator == "~" and "LBRACE" in expected):
        begin = start - _before(text, start)
        hint = f"write `{_FOREIGN_OPERATORS[operator]}`"
        return SyntaxProblem(f"`{operator}` is not an operator", _position_at(text, begin, len(operator)), hint)
    if (
        token.type == "LPAR"
        and "PIPE" in expected
        and (word := _WORD_BEFORE.search(text, max(0, start - _LONGEST_WORD), start))
    ):
        return _no_stage(text, word)
    shown = token if len(token) <= 60 else f"{token[:57]}..."
    position = Position(token.line or 1, token.column or 1, len(token))
    return SyntaxProblem(f"unexpected `{shown}`", position, _hint(text, token, expected))


def _no_stage(text: str, word: re.Match[str]) -> SyntaxProblem:
    name = word[1]
    close = meant(name)
    hint = _FOREIGN_WORDS.get(name.lower()) or (f"did you mean `{close}`?" if close else f"stages are {all_names()}")
    return SyntaxProblem(f"there is no stage `{name}`", _position_at(text, word.start(), len(name)), hint)


def _hint(text: str, token: Token, expected: Set[str]) -> str | None:
    start = token.start_pos or 0
    in_braces = "RBRACE" in expected or expected >= _OPERANDS
    if token.lower() in _FOREIGN_WORDS:
        return _FOREIGN_WORDS[token.lower()]
    if token.type == "PIPE" and in_braces:
        return "`or` is written ||"
    if token.type == "COMMA" and in_braces:
        return "conditions are joined by && or ||"
    if token.type == "RBRACE" and "RPAR" in expected:
        return "the closing parenthesis is missing before it"
    if token.type == "RBRACE":
        return "an operand is missing before it" if expected >= _OPERANDS else "it closes no brace"
    if token.type == "RPAR" and "RPAR" not in expected:
        return "an operand is missing before it" if expected >= _OPERANDS else "it closes no parenthesis"
    if token.type in ("ATTRIBUTE", "COLON", "DOTTED") and not in_braces and "LBRACE" in expected:
        return f"conditions stand in braces: {{ {text[start : start + 40].strip()} }}"
    return _next(expected)


def _next(expected: Set[str]) -> str | None:
    if expected >= _OPERANDS:
        return "here an attribute or a value belongs"
    if "RBRACE" in expected:
        return "here an operator such as = or &&, or the closing brace belongs"
    if "RPAR" in expected:
        return "here an operator, a comma or the closing parenthesis belongs"
    if "LBRACE" in expected:
        return "here a filter in braces belongs: { }"
    if "PIPE" in expected:
        return "here the query could end, or go on with | or another { }"
    if "LPAR" in expected:
        return "here an opening parenthesis belongs"
    return None


def _unreadable(text: str, unexpected: UnexpectedCharacters) -> SyntaxProblem:
    start = unexpected.pos_in_stream or 0
    character = text[start]
    rest = text[start:]
    if character == "'":
        closing = rest.find("'", 1)
        length = closing + 1 if closing > 0 else 1
        word = rest[1 : length - 1] if length > 2 else "..."
        hint = "or in `backquotes`" if '"' in word or "\\" in word else f'write "{word}"'
        return SyntaxProblem(
            "text stands in double quotes, not in single ones", _position_at(text, start, length), hint
        )
    if character in '"`' or (character == "." and rest[1:2] == '"'):
        first_line = rest.split("\n", 1)[0]
        hint = "add `" if character == "`" else 'add "'
        if character == '"' and len(first_line) < len(rest):
            hint = "a line break in a text is written \\n"
        return SyntaxProblem("the closing quote is missing", _position_at(text, start, len(first_line)), hint)
    if character.isdigit() or (character == "." and rest[1:2].isdigit()):
        found = _MALFORMED_NUMBER.match(rest)
        word = found[0] if found else character
        return SyntaxProblem(
            f"`{word[:60]}` is neither a number nor a duration",
            _position_at(text, start, len(word)),
            "durations are written 100ms, 1.5s or 1h30m (ns us ms s m h d w y); text stands in double quotes",
        )
    hints = {"&": "`and` is written &&", "[": 'there are no lists: write .a = 1 || .a = 2, or .a =~ "x|y"'}
    if character == ".":
        return SyntaxProblem("an attribute name is missing behind the dot", _position_at(text, start))
    message = f"unexpected `{character}`" if character.isprintable() else f"unexpected character U+{ord(character):04X}"
    return SyntaxProblem(message, _position_at(text, start), hints.get(character))


def _operator_around(text: str, start: int) -> str:
    end = start
    while end < len(text) and end - start < 3 and text[end] in _OPERATOR_CHARACTERS:
        end += 1
    return text[start - _before(text, start) : end]


def _before(text: str, start: int) -> int:
    count = 0
    while count < min(start, 2) and text[start - count - 1] in _OPERATOR_CHARACTERS:
        count += 1
    return count


def _position_at(text: str, offset: int, length: int = 1) -> Position:
    line = text.count("\n", 0, offset) + 1
    return Position(line, offset - text.rfind("\n", 0, offset), max(1, length))
