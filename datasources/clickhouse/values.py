"""Comparisons of one value with one literal, as SQL that means what Arcane's evaluation means. Pure.

A Map keeps texts. What type a value had is read from what it spells, by the same rules as `decode.typed`:
a number as the exporter writes numbers, `true` and `false`, a JSON list of such and of texts; all else,
and everything under a name that is known to be text, is a text. A literal that itself spells one of
those is compared with the text as it stands: whether `span.a = "5"` was once a number cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from arcane.spi import Literal, LiteralType, Op
from datasources.clickhouse.spelling import NUMBER, spells_text

SQL_OPS = {Op.EQ: "=", Op.NE: "!=", Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
NUMERIC = frozenset({LiteralType.INT, LiteralType.FLOAT, LiteralType.DURATION})
_NUMBER_SQL = f"'^(?:{NUMBER})$'"


class Bind(Protocol):
    """Gives a value to the statement as a parameter, and the placeholder for it."""

    def __call__(self, value: object, kind: str) -> str:
        """Returns `{p1:String}` or the like."""
        ...


class Kinds(Protocol):
    """A value of which SQL can tell what it is. All texts are SQL; the tests are 0 or 1, never NULL."""

    @property
    def present(self) -> str:
        """There is a value."""
        ...

    @property
    def text(self) -> str:
        """The value where it is a text."""
        ...

    @property
    def elements(self) -> str:
        """Array of JSON, where it is a list."""
        ...

    def json(self) -> str:
        """The value as JSON, where types are kept; otherwise as it stands."""
        ...

    def as_number(self) -> str:
        """The value where it is a number, else NULL."""
        ...

    def is_text(self) -> str:
        """The value is a text."""
        ...

    def is_list(self) -> str:
        """The value is a list of plain values."""
        ...

    def number(self, op: str, wanted: str) -> str:
        """The value is a number, and compares so."""
        ...

    def boolean(self, wanted: bool) -> str:
        """The value is this boolean."""
        ...

    def as_stored(self, literal: str) -> bool:
        """True where `literal` is compared with whatever text stands there."""
        ...


@dataclass(frozen=True, slots=True)
class Spelled:
    """A value of a Map: a text, whose type is what it spells. `only_text`: its name says that it is a text."""

    present: str
    text: str
    only_text: bool = False

    @property
    def elements(self) -> str:
        """Array of JSON, where it is a list."""
        return f"JSONExtractArrayRaw({self.text})"

    def json(self) -> str:
        """The value as it stands."""
        return self.text

    def as_number(self) -> str:
        """The value where it spells a number, else NULL."""
        if self.only_text:
            return "CAST(NULL, 'Nullable(Float64)')"
        return f"if({self.present} AND match({self.text}, {_NUMBER_SQL}), toFloat64OrNull({self.text}), NULL)"

    def is_text(self) -> str:
        """The value is a text."""
        if self.only_text:
            return "1"
        return f"NOT (match({self.text}, {_NUMBER_SQL}) OR {self.text} IN ('true', 'false') OR {self.is_list()})"

    def is_list(self) -> str:
        """The value is a list of plain values."""
        if self.only_text:
            return "0"
        plain = f"NOT arrayExists(e -> startsWith(e, '{{') OR startsWith(e, '[') OR e = 'null', {self.elements})"
        return f"(startsWith({self.text}, '[') AND isValidJSON({self.text}) AND {plain})"

    def number(self, op: str, wanted: str) -> str:
        """The value is a number, and compares so."""
        return "0" if self.only_text else spelled_number(self.text, op, wanted)

    def boolean(self, wanted: bool) -> str:
        """The value is this boolean."""
        return "0" if self.only_text else f"{self.text} = '{str(wanted).lower()}'"

    def as_stored(self, literal: str) -> bool:
        """True where `literal` is compared with whatever text stands there."""
        return self.only_text or not spells_text(literal)


@dataclass(frozen=True, slots=True)
class Typed:
    """A value of a JSON column, which keeps its type; texts that look like dates are kept as dates."""

    value: str

    @property
    def _type(self) -> str:
        return f"dynamicType({self.value})"

    @property
    def present(self) -> str:
        """There is a value."""
        return f"({self._type} != 'None')"

    @property
    def text(self) -> str:
        """The value where it is a text."""
        return f"ifNull(toString({self.value}), '')"

    @property
    def elements(self) -> str:
        """Array of JSON, where it is a list."""
        return f"JSONExtractArrayRaw({self.json()})"

    def json(self) -> str:
        """The value as JSON."""
        return f"ifNull(toJSONString({self.value}), '')"

    def is_float(self) -> str:
        """The value is a float."""
        return f"({self._type} = 'Float64')"

    def as_number(self) -> str:
        """The value where it is a number, else NULL."""
        kinds = ("Int64", "Float64", "UInt64")
        return f"coalesce({', '.join(f'toFloat64(dynamicElement({self.value}, {kind!r}))' for kind in kinds)})"

    def is_text(self) -> str:
        """The value is a text."""
        return f"({self._type} = 'String' OR startsWith({self._type}, 'Date'))"

    def is_list(self) -> str:
        """The value is a list of plain values."""
        plain = f"NOT arrayExists(e -> startsWith(e, '{{') OR startsWith(e, '[') OR e = 'null', {self.elements})"
        return f"(startsWith({self._type}, 'Array') AND {plain})"

    def number(self, op: str, wanted: str) -> str:
        """The value is a number, and compares so."""
        parts = [f"dynamicElement({self.value}, '{kind}') {op} {wanted}" for kind in ("Int64", "Float64", "UInt64")]
        return f"ifNull({parts[0]}, ifNull({parts[1]}, ifNull({parts[2]}, 0)))"

    def boolean(self, wanted: bool) -> str:
        """The value is this boolean."""
        return f"ifNull(dynamicElement({self.value}, 'Bool') = {str(wanted).lower()}, 0)"

    def as_stored(self, literal: str) -> bool:
        """False: types are known."""
        return False


def spelled_number(text: str, op: str, wanted: str) -> str:
    """Returns: `text` spells a number that compares so. Whole numbers compare as such, beyond what a float holds."""
    holds = f"ifNull(toInt64OrNull({text}) {op} {wanted}, ifNull(toFloat64OrNull({text}) {op} {wanted}, 0))"
    return f"(match({text}, {_NUMBER_SQL}) AND {holds})"


def compare(value: Kinds, op: Op, literal: Literal, bind: Bind) -> str:
    """Returns `value op literal` for an attribute; false where there is no value or another type."""
    if literal.type is LiteralType.NIL:
        return f"NOT {value.present}" if op is Op.EQ else value.present
    if literal.type in NUMERIC:
        test = _numbers(value, op, number_literal(literal, bind))
    elif literal.type is LiteralType.BOOL:
        test = _booleans(value, op, bool(literal.value))
    else:
        test = _texts(value, op, str(literal.value), bind)
    return f"({value.present} AND ({test}))"


def plain_text(text: str, op: Op, wanted: str, bind: Bind) -> str:
    """Returns `text op wanted` for a field that is always a text."""
    if op in (Op.MATCH, Op.NOT_MATCH):
        # RE2 as Arcane has it: the whole text has to match, and a dot matches a line break.
        negation = "NOT " if op is Op.NOT_MATCH else ""
        return f"{negation}match({text}, {bind(f'(?s)^(?:{wanted})$', 'String')})"
    return f"{text} {SQL_OPS[op]} {bind(wanted, 'String')}"


def number_literal(literal: Literal, bind: Bind) -> str:
    """Returns the placeholder for a number or a duration."""
    return bind(literal.value, "Float64" if literal.type is LiteralType.FLOAT else "Int64")


def _texts(value: Kinds, op: Op, wanted: str, bind: Bind) -> str:
    if value.as_stored(wanted) and op not in (Op.MATCH, Op.NOT_MATCH):
        single = plain_text(value.text, op, wanted, bind)
    elif op is Op.EQ and isinstance(value, Spelled):
        single = plain_text(value.text, op, wanted, bind)  # what it equals is a text
    else:
        single = f"{value.is_text()} AND {plain_text(value.text, op, wanted, bind)}"
    if value.is_list() == "0":
        return single
    texts = f"arrayMap(e -> JSONExtractString(e), arrayFilter(e -> startsWith(e, '\"'), {value.elements}))"
    if op in (Op.NE, Op.NOT_MATCH):
        undone = plain_text("s", Op.EQ if op is Op.NE else Op.MATCH, wanted, bind)
        among = f"(empty({value.elements}) OR notEmpty({texts})) AND NOT arrayExists(s -> {undone}, {texts})"
    else:
        among = f"arrayExists(s -> {plain_text('s', op, wanted, bind)}, {texts})"
    return f"({single}) OR ({value.is_list()} AND {among})"


def _numbers(value: Kinds, op: Op, wanted: str) -> str:
    single = value.number(SQL_OPS[op], wanted)
    if value.is_list() == "0":
        return single
    among = f"arrayExists(e -> {spelled_number('e', SQL_OPS[op], wanted)}, {value.elements})"
    if op is Op.NE:
        some = f"arrayExists(e -> match(e, {_NUMBER_SQL}), {value.elements})"
        equal = f"arrayExists(e -> {spelled_number('e', '=', wanted)}, {value.elements})"
        among = f"(empty({value.elements}) OR {some}) AND NOT {equal}"
    return f"{single} OR ({value.is_list()} AND {among})"


def _booleans(value: Kinds, op: Op, wanted: bool) -> str:
    single = value.boolean(wanted if op is Op.EQ else not wanted)
    if value.is_list() == "0":
        return single
    spelled, other = f"'{str(wanted).lower()}'", f"'{str(not wanted).lower()}'"
    among = f"has({value.elements}, {spelled})"
    if op is Op.NE:
        among = f"(empty({value.elements}) OR has({value.elements}, {other})) AND NOT {among}"
    return f"{single} OR ({value.is_list()} AND {among})"
