"""Finds, for `make i18n-extract`, the words that pages show although no page says them.

- `declared`: the form of a datasource is made from its settings model and a role describes itself. What stands
  there as `title`, `summary`, `description` or a choice's label is declared once, in English, and translated where it
  is shown (the filter `spoken`).
- So are the providers of models, and the scorers that workers announce.
- `noticed`: the engine and the adapters say what is wrong, missing or planned as notices and as errors; a
  template that writes one writes it in its own language.
- Why a request is refused: problems and errors of TraceQL say it in a sentence made on the spot. Its template is what
  stands in the source, `f"there is no {kind} {name}"` as `there is no %(kind)s %(name)s`; a page that shows such a
  sentence finds the template it was made of (web/i18n.py). So do the sentences about single fields, which stand in a
  problem's `errors` beside the pointer to their field, and those of the validators that schemas have.
- `reported`: why a worker could not do a job. `written`: what pages say themselves, and why they refuse something.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python

from arcane.kit.problems import Problem
from arcane.model.notice import Notice
from arcane.spi import errors
from arcane.traceql.errors import TraceqlError
from web import site  # noqa: F401 - with it every slice is loaded, and the problems that each of them knows

Found = tuple[int, str | None, str, list[str]]
Said = Mapping[str, list[ast.expr]]
"""What a name of a module stands for: all that is assigned to it, or that the function of that name returns."""

_DECLARED = frozenset({"title", "summary", "description"})
_ROLE = "SystemRole"
_DESCRIPTION = 3
"""Where in a role's declaration its description stands."""
_ERRORS = frozenset(
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.DatasourceError)
)
_SAYS = _ERRORS | {Notice.__name__}
_FIELD_ERROR = "FieldError"
_FAILURES = frozenset({"ModelError", "because"})
_CAUSE = "Cause"
"""What a table of sentences goes by (worker/llm/failures.py): each is told as it is, or with facts at its end."""
_SCORER = "ScorerDescription"
_NAMES_OF_SCORERS = frozenset({"name", "group"})
_HINT = 2
"""Where the hint of an error of TraceQL stands, after its message and its position."""
_NAME = re.compile(r"[A-Za-z_]\w*")


def declared(source: IO[bytes], keywords: Any, comment_tags: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """Yields the declared words of a Python module and what it reports, as babel's extraction methods do."""
    yield from reported(source, keywords, comment_tags, options)
    source.seek(0)
    tree = ast.parse(source.read())
    makers = _makers(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=args) if name in makers:
                yield from _texts([one for one, what in zip(args, makers[name], strict=False) if what in _DECLARED])
            case ast.Call(func=ast.Name(id=name), keywords=named) if name == _SCORER:
                yield from _texts([one.value for one in named if one.arg in _NAMES_OF_SCORERS])
            case ast.Call(func=ast.Name(id=name), args=args) if name == _ROLE:
                yield from _texts(args[_DESCRIPTION : _DESCRIPTION + 1])
            case ast.keyword(arg=name, value=value) if name in _DECLARED:
                yield from _texts([value])
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _DECLARED:
                yield from _texts([value])
            case ast.Dict(keys=keys, values=[*values]):
                labels = [value for key, value in zip(keys, values, strict=True) if _is_word(key, "labels")]
                yield from _texts([value for key, value in zip(keys, values, strict=True) if _is_word(key, "group")])
                for choices in labels:
                    yield from _texts(choices.values if isinstance(choices, ast.Dict) else [])


def noticed(source: IO[bytes], keywords: Any, comment_tags: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """Yields the templates of a Python module's notices and errors, and what an error says without a message."""
    refusing = _names_below(Problem) | _names_below(TraceqlError)
    tree = ast.parse(source.read())
    said = _said(tree)
    for node in ast.walk(tree):
        yield from _notices(node)
        for sentence in _about_fields(node):
            yield from _made_of(sentence, said)
        match node:
            case ast.Call(func=ast.Name(id=name), args=[text, *rest], keywords=keywords) if name in refusing:
                hints = [one.value for one in keywords if one.arg == "hint"] + rest[_HINT - 1 : _HINT]
                yield from (one for part in (text, *hints) for one in _made_of(part, said))


def reported(source: IO[bytes], keywords: Any, comment_tags: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """Yields what `noticed` does, and the sentences of whatever the module raises, or returns as a failure."""
    yield from noticed(source, keywords, comment_tags, options)
    source.seek(0)
    tree = ast.parse(source.read())
    said = _said(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.Call(args=[*_, text])):
                yield from _made_of(text, said)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[_, text]) if name in _FAILURES:
                yield from _made_of(text, said)
            case ast.Dict(keys=[ast.Attribute(value=ast.Name(id=name)), *_], values=sentences) if name == _CAUSE:
                for line, _, sentence, _ in _texts(sentences):
                    yield from ((line, None, text, []) for text in (sentence, f"{sentence[:-1]} (%(facts)s)."))


def written(source: IO[bytes], keywords: Any, comment_tags: Any, options: Mapping[str, Any]) -> Iterator[Found]:
    """Yields what a module of the pages says through gettext, and why it refuses something."""
    yield from extract_python(source, keywords, comment_tags, dict(options))  # type: ignore[arg-type, misc]
    source.seek(0)
    yield from noticed(source, keywords, comment_tags, options)


def _about_fields(node: ast.AST) -> Iterator[ast.expr]:
    """Yields what says what is wrong with one field: a detail beside its pointer, or the words of a validator."""
    match node:
        case ast.Dict(keys=keys, values=values):
            yield from (one for key, one in zip(keys, values, strict=True) if _is_word(key, "detail"))
        case ast.Call(func=ast.Name(id=name), args=[_, detail]) if name == _FIELD_ERROR:
            yield detail
        case ast.Tuple(elts=[pointer, detail]) if ast.unparse(pointer).lstrip("f")[1:3] == "#/":
            yield detail
        case ast.Raise(exc=ast.Call(func=ast.Name(id="ValueError"), args=[text])):
            yield text


def _said(tree: ast.Module) -> Said:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.FunctionDef(name=name):
                returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value]
                found.setdefault(name, []).extend(returned)
    return found


def _names_below(kind: type) -> frozenset[str]:
    """Returns the names of `kind` and of all that inherits from it and is loaded."""
    return frozenset({kind.__name__}).union(*map(_names_below, kind.__subclasses__()))


def _made_of(node: ast.expr, said: Said) -> Iterator[Found]:
    """Yields the templates of the sentences that an expression can be: a text, an f-string, one of two, or a name."""
    match node:
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            yield from _made_of(one, said)
            yield from _made_of(other, said)
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)):
            yield from (found for one in said.get(name, ()) for found in _made_of(one, {}))
        case ast.JoinedStr(values=parts):
            taken: Counter[str] = Counter()
            yield node.lineno, None, "".join(_part(part, taken) for part in parts), []
        case _:
            yield from _texts([node])


def _part(node: ast.expr, taken: Counter[str]) -> str:
    """Returns a part of an f-string as a template has it; a value is named after what is written, once."""
    if isinstance(node, ast.FormattedValue):
        name = (_NAME.findall(ast.unparse(node.value)) or ["value"])[-1]
        taken[name] += 1
        return f"%({name}{taken[name] if taken[name] > 1 else ''})s"
    return str(node.value).replace("%", "%%") if isinstance(node, ast.Constant) else ""


def _notices(node: ast.AST) -> Iterator[Found]:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[text, *_]) if name in _SAYS:
            yield from _texts([text])
        case ast.Call(args=[ast.Name(id=name), text]) if name in _ERRORS:  # a function that makes such an error
            yield from _texts([text])
        case ast.ClassDef(name=name) if name in _ERRORS:
            yield node.lineno, None, ast.get_docstring(node) or "", []


def _makers(tree: ast.Module) -> dict[str, list[str]]:
    """Returns the functions of a module that make a field, each with the names of its parameters."""
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    named = {one.name: [argument.arg for argument in one.args.args] for one in functions}
    return {name: names for name, names in named.items() if _DECLARED & set(names)}


def _is_word(node: ast.expr | None, word: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == word


def _texts(nodes: list[ast.expr]) -> Iterator[Found]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, None, node.value, []
