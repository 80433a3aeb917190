"""Jinja2, for prompts: a part of the language in which no template can take long or grow large.

Jinja's sandbox keeps templates away from Python's insides, but not from `{{ 'x' * 10**10 }}`, from nested loops or
from a text that doubles itself. What is left here cannot: only some nodes are read (`jinja_tree`), every loop and
every text that is made on the way is counted (`Budget`), and what could make more than its inputs is written anew in
`jinja_filters`. There are no macros, includes, imports or blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Final

from jinja2 import StrictUndefined, Template, UndefinedError, pass_context
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from arcane.model.notice import Notice
from arcane.prompting.bounds import Budget
from arcane.prompting.errors import MissingVariable, Place, TemplateError, TemplateSyntax, WrongValue
from arcane.prompting.jinja_filters import BUDGET, FILTERS, TESTS, budget_of, plain, size
from arcane.prompting.jinja_tree import METHODS, names, parse, too_deep, walk
from arcane.prompting.texts import as_text

__all__ = ["names", "render"]

_LOOP: Final = frozenset(
    ["index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem", "cycle"]
)


class _NoValue(StrictUndefined):
    """What a name without a value is: false in a condition; using it says which one it was."""

    __bool__ = Undefined.__bool__  # type: ignore[assignment]

    def __init__(self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = None) -> None:
        super().__init__(hint, obj, name, partial(_no_value, name))  # type: ignore[arg-type]


def _no_value(name: object, message: str | None) -> UndefinedError:
    error = UndefinedError(message)
    error.name = str(name)  # type: ignore[attr-defined]
    return error


@pass_context
def _said(context: Context, value: object) -> object:
    """What stands between braces, as text; what is undefined complains when Jinja makes a text of it."""
    return (
        value if isinstance(value, Undefined) else as_text(plain(value, budget_of(context)), budget_of(context).write)
    )


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, narrowed to plain values."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%"))

    def __init__(self) -> None:
        super().__init__(undefined=_NoValue, finalize=_said, optimized=False, keep_trailing_newline=True, cache_size=0)
        self.globals = {}
        self.filters = dict(FILTERS)
        self.tests = {name: self.tests[name] for name in TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Returns what the object has under the name, the place in the loop, or a method of texts and objects."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        allowed = _LOOP if isinstance(obj, LoopContext) else METHODS if isinstance(obj, str | Mapping) else frozenset()
        return (
            getattr(obj, attribute, self.undefined(obj=obj, name=attribute))
            if attribute in allowed
            else self.undefined(obj=obj, name=attribute)
        )

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Returns the item, and never an attribute."""
        try:
            return obj[argument]
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=str(argument)[:60])

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Returns what a method says; its size is counted."""
        said = function(*args, **kwargs)
        budget_of(context).make(size(said))
        return said

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Returns the result for numbers, and for texts that are added."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            budget_of(context).make(len(left) + len(right))
            return left + right
        if not all(isinstance(one, int | float) and abs(one) < 1e18 for one in (left, right)):
            raise SecurityError(f"{operator} is for numbers")
        return super().call_binop(context, operator, left, right)


@lru_cache(maxsize=32)
def _compiled(text: str) -> Template:
    """The rows of a dataset share a template."""
    environment = PromptEnvironment()
    tree = parse(text)
    tree.set_environment(environment)
    try:
        code = environment.compile(tree)
    except (RecursionError, MemoryError, SyntaxError):
        raise TemplateSyntax(too_deep()) from None
    template: Template = environment.template_class.from_code(environment, code, environment.globals)
    return template


def render(text: str, inputs: Mapping[str, object], budget: Budget) -> str:
    """Returns the template with the values in their places."""
    template = _compiled(text)
    written = []
    try:
        for piece in template.generate({**inputs, BUDGET: budget}):
            budget.step()
            budget.write(len(piece))
            written.append(piece)
    except UndefinedError as error:
        raise _missing(text, error) from None
    except TemplateError:
        raise
    except (TemplateRuntimeError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise WrongValue(
            Notice("The template cannot do this with its values: %(reason)s", reason=str(error)[:200])
        ) from None
    return "".join(written)


def _missing(text: str, error: UndefinedError) -> MissingVariable:
    name = str(getattr(error, "name", ""))
    at = next(
        (node.lineno for node, _ in walk(parse(text)) if getattr(node, "name", getattr(node, "attr", "")) == name),
        None,
    )
    return MissingVariable(name, None if at is None else Place(at))
