"""docs/reference/query-language.md: its examples are what it says they are."""

import re
from pathlib import Path

import pytest

from arcane.traceql import intrinsics
from arcane.traceql.ast_pipeline import AggregateKind, MetricsKind, SpansetOp
from arcane.traceql.build_expr import WORDS
from arcane.traceql.check import check
from arcane.traceql.errors import TraceqlError, UnsupportedConstruct
from arcane.traceql.parse import parse
from tests.unit.traceql.observed import DIFFERENCES

_DOCS = Path(__file__).parents[3] / "docs"
PAGE = (_DOCS / "reference" / "query-language.md").read_text(encoding="utf-8").replace("\\|", "|")


def _examples(kind: str) -> list[str]:
    blocks = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("query", _examples("traceql"))
def test_examples_can_be_asked(query: str) -> None:
    check(parse(query))


@pytest.mark.parametrize("query", _examples("traceql wrong"))
def test_wrong_examples_are_refused_with_a_hint(query: str) -> None:
    with pytest.raises(TraceqlError) as refused:
        check(parse(query))
    assert refused.value.hint
    assert not isinstance(refused.value, UnsupportedConstruct)


@pytest.mark.parametrize("query", _examples("traceql unsupported"))
def test_what_nobody_answers_is_refused_as_unsupported(query: str) -> None:
    with pytest.raises(UnsupportedConstruct):
        check(parse(query))


@pytest.mark.parametrize("query", sorted(set(re.findall(r"`(\{[^`]*\})`", PAGE)) - {"{ } ( ) = ~ ! < > & | ^ ,"}))
def test_queries_in_the_text_can_be_asked(query: str) -> None:
    check(parse(query))


def test_every_intrinsic_and_every_word_is_on_the_page() -> None:
    spellings = [spelling for one in intrinsics.ALL for spelling in (one.name, *one.spellings)]
    assert [word for word in (*spellings, *WORDS) if f"`{word}`" not in PAGE] == []


def test_every_operator_and_every_function_is_on_the_page() -> None:
    functions = [f"{kind}(" for kind in (*AggregateKind, *MetricsKind)]
    words = [*SpansetOp, *functions, "by(", "coalesce()", "select(", "topk(", "bottomk(", "with("]
    assert [word for word in words if word not in PAGE] == []


def test_every_kind_of_difference_from_tempo_is_in_the_table() -> None:
    rows = DIFFERENCES["observed"] + DIFFERENCES["searches"]
    reasons = {row["reason"] for row in rows}
    assert {row["reason"] for row in rows if f"`{row['query']}`" in PAGE} == reasons == DIFFERENCES["reasons"].keys()
