"""Which spans a filter finds: the rules of docs/reference/query-language.md, one by one."""

import pytest

from arcane.model.ids import SpanId
from arcane.model.span import InstrumentationScope, Resource, StatusCode
from arcane.model.trace import Trace
from arcane.traceql.ast import SpansetFilter
from arcane.traceql.evaluate import compile_filter
from tests.unit.traceql.asking import TRACE_ID, compiled, fails, listed, matches, span_with

HERE = span_with(
    {
        "i": 5,
        "f": 2.5,
        "s": "abc",
        "t": True,
        "no": False,
        "big": 2**62,
        "words": ["x", "y"],
        "numbers": [1, 2.5],
        "flags": [True],
        "mixed": [1, "x", None],
        "empty": [],
        "bytes": b"abc",
        "map": {"a": 1},
        "null": None,
        "both": "span",
    },
    resource=Resource({"service.name": "web", "both": "resource", "only": 1, "null": 7}),
    scope=InstrumentationScope("lib", "1.0", {"sa": "x"}),
    status=StatusCode.ERROR,
    status_message="boom",
)


MATCHING = listed(
    r"""
    # numbers compare by value
    .i = 5  .i = 5.0  .i = 5ns  5 = .i  .f > 2  .f > 2ns  .f != 2  .i >= 5  .i <= 5  4 < .i  4 <= .i  6 > .i
    6 >= .i  .i != 4  4 != .i  .i > .f  .i = .i  1s = 1000000000  1 = 1.0  -.i = -5  -.f < 0
    .big * 4 > .big  maxInt + 1 > maxInt  minInt - 10000 < minInt  -minInt > maxInt
    # text
    .s = "abc"  .s != "x"  .s < "abd"  .s >= "abc"  "abc" = .s  .s =~ "a.."  .s !~ "ab"  .s =~ "(?i)ABC"
    "abc" =~ "a.*"  .s > "B"  "x" = "x"
    # truth
    .t  !.no  .t = true  .no = false  .t != false  true  .t && .i = 5  .no || .t  !.no = true  .i > 1 = true
    (.i = 1) = .no  !!.t  .t = !.no
    # arrays: any element, for != all of them
    .words = "x"  .words != "z"  .words =~ "[y]"  .words !~ "z"  .words > "x"  "x" = .words  .numbers < 2
    .numbers = 2.5  2 < .numbers  .numbers != 3  .flags = true  .flags != false  .mixed = 1  .mixed = "x"
    .mixed != 2  .empty != "x"  .empty !~ "x"  .empty != nil  .s != .words
    # absent and present
    .missing = nil  nil = .missing  .i != nil  nil != .i  .bytes != nil  span.only = nil  .only != nil
    resource.only != nil  span.null = nil  .null = 7  (.missing + 1) = nil
    # where a field is looked up
    .both = "span"  resource.both = "resource"  .only = 1  instrumentation.sa = "x"  .service.name = "web"
    instrumentation:name = "lib"  instrumentation:version = "1.0"
    # intrinsics
    name = "call"  duration = 5us  duration = 5000  status = error  status != ok  error = status
    kind = client  kind != server  statusMessage = "boom"  status = status  client = kind
    traceDuration = 5us  rootName = "call"  rootServiceName = "web"  span:childCount = 0  trace:id = "abc"
    trace:id = "00ABC"  "abc" = trace:id  trace:id =~ "a.c"  trace:id =~ "0+ABC"  span:id = "aa"
    span:id != "ab"  span:id < "AB"  "ab" > span:id  span:id !~ "b.*"  span:parentID = ""
    span:parentID = "00"  span:parentID != "aa"  span:parentID != nil  nestedSetParent = -1
    # arithmetic
    5 / 2 = 2  -5 / 2 = -2  5 / -2 = -2  -5 / -2 = 2  5 % 3 = 2  -5 % 3 = -2  5 % -3 = 2  5 / 2.0 = 2.5
    .f * 2 = 5  .f + .i = 7.5  2 ^ 3 = 8  2 ^ 3 ^ 2 = 512  2 ^ -1 = 0.5  2.0 ^ 0.5 > 1.4  2 ^ 63 > maxInt
    2 ^ 100000 > maxInt  1 ^ 100000 = 1  -1 ^ 2 = -1  (-3) ^ 100001 < minInt  (-3) ^ 100002 > maxInt
    1 / 0.0 > maxInt  -1 / 0.0 < minInt  0 / 0.0 != 0  5 % 0.0 != 0  0 ^ -1 > maxInt  (-8.0) ^ 0.5 != 0
    1 / -0.0 < minInt  duration / 2 = 2.5us  duration / 2000 = 2.5  duration % 3us = 2us  duration / 0 > 1h
    duration + 1us = 6us  duration - 4us = 1000  duration * 2 = 10us  duration % 0 != 1
    duration ^ 2 = 25000000  minInt / -1 > maxInt
    # neither true nor false on one side
    true || .i = 1  .missing = 1 || .i = 5
    """
)


@pytest.mark.parametrize("text", MATCHING)
def test_it_matches(text: str) -> None:
    assert matches(text, HERE)


NOT_MATCHING = listed(
    r"""
    # comparing with what is absent is false whatever the operator
    .missing = 1  .missing != 1  .missing !~ "x"  .missing =~ ".*"  .missing < 1  .missing = .missing
    !.missing  !(!.missing)  -.missing < 0  -.missing >= 0  .i + .missing = 1  .missing  .words = .missing
    .missing != .words  nil = nil  nil != nil  .i = nil  .missing != nil  .null = nil
    # so is comparing what does not go together
    .i = "5"  .i != "5"  .s != 5  .s > 5  .t = 1  .t != 1  .i = true  .i != true  .i =~ "5"  .i !~ "x"
    .s = error  .s != error  .i = client  error != .s  name = .i  .bytes = .bytes  .bytes != 1  .map = 1
    .i + .s = 1  .words = 1  .words != 1  .numbers !~ "x"  .bytes =~ "abc"  name != .t  .bytes
    # arrays
    .words != "x"  .words !~ "y"  .empty = 1  .empty =~ ".*"  .words = .words  .words != .words  .flags
    .numbers > 2.5  2.5 < .numbers  .mixed != 1  .words = .s
    # conditions
    false  .no  .i  .t && .i  .i && .t  !.t  !(.i = 5)  .i = 1 || .i = 2 || .i = 3  .t && .no && .t && .t
    # || of what is neither true nor false
    .t || .missing  .missing || .t  .i || .t  .t || .i  .i = 5 || .missing  .s =~ "ab"  .s =~ ""  .s =~ "b."
    .s < "abc"  kind = server  status = ok  status = unset  duration > 5us  0 / 0.0 = 0 / 0.0
    trace:id = "abcd"  trace:id != "ABC"  span:id = "g"  span:parentID = "1"  span:parentID != ""  2 ^ 3 = 9
    duration = 0.000005
    """
)


@pytest.mark.parametrize("text", NOT_MATCHING)
def test_it_does_not_match(text: str) -> None:
    assert not matches(text, HERE)


WITHOUT_A_VALUE = listed(
    r"""
    .i / 0 = 1  .i % 0 = 1  !.s  !.i  !(!.s)  -.s = 1  -.t = 1  -.words = 1  .words + 1 = 1  1 + .words = 1
    !(.i / 0 = 1)  !(!.s) = true  (.i / 0) = nil  .i / 0 != nil  .t && !.s  !.s && .t  !.s || .no
    .no || !.s  !.s || .i = 1  .i = 1 || .i / 0 = 1  .s / 0 = 1 || .i / 0 = 1  .i / 0 ^ 2 = 1
    """
)


@pytest.mark.parametrize("text", WITHOUT_A_VALUE)
def test_an_expression_without_a_value_is_no_match_and_is_counted(text: str) -> None:
    assert fails(text, HERE)


@pytest.mark.parametrize("text", [".i / 0 = 1 || .i = 5", ".i = 5 || .i / 0 = 1", "!.s || .t", ".t || !.s"])
def test_what_decides_without_the_expression_that_failed_counts(text: str) -> None:
    assert matches(text, HERE)


@pytest.mark.parametrize(
    "text",
    [".i / 0 = 1 && .i = 1", ".i = 1 && .i / 0 = 1", "!.s && .no", ".no && !.s", "!.s || .missing", ".missing || !.s"],
)
def test_what_is_false_without_the_expression_that_failed_is_no_failure(text: str) -> None:
    assert not matches(text, HERE)


def test_errors_are_counted_over_all_traces_asked() -> None:
    asked = compiled("1 / .i = 1")
    spans = [span_with({"i": number % 2}, span_id=SpanId(f"{number:016x}")) for number in range(1, 7)]
    assert [span.attributes["i"] for span in asked.matches(Trace(TRACE_ID, spans))] == [1, 1, 1]
    asked(Trace(TRACE_ID, spans))
    assert asked.errors == 6


def test_the_empty_filter_finds_every_span() -> None:
    trace = Trace(TRACE_ID, [HERE])
    assert compile_filter(SpansetFilter())(trace) == [HERE]


def test_spans_come_in_order_of_start() -> None:
    spans = [span_with(span_id=SpanId(f"{number:016x}"), start=100 - number) for number in range(1, 6)]
    assert [span.start for span in compiled('name = "call"')(Trace(TRACE_ID, spans))] == [95, 96, 97, 98, 99]


@pytest.mark.parametrize("count", [2, 3, 5, 40])
def test_chains_of_any_length_hold_when_all_or_one_holds(count: int) -> None:
    names = [f"a{number}" for number in range(count)]
    every = span_with(dict.fromkeys(names, 1))
    all_but_last = span_with(dict.fromkeys(names[:-1], 1))
    only_last = span_with({names[-1]: 1})
    both = " && ".join(f".{name} = 1" for name in names)
    either = " || ".join(f".{name} = 1" for name in names)
    assert matches(both, every)
    assert not matches(both, all_but_last)
    assert matches(either, only_last)
    assert not matches(either, span_with())
