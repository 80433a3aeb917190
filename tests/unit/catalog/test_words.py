import json

from arcane.catalog.words import as_data, in_words
from arcane.model.notice import told
from arcane.spi import COMPARISONS, Capabilities, LiteralType, Order, PushRule, Scope

ABLE = Capabilities(
    push=(
        PushRule(frozenset({Scope.SPAN, Scope.NONE}), COMPARISONS, frozenset(LiteralType)),
        PushRule(frozenset({Scope.INTRINSIC}), COMPARISONS, frozenset(LiteralType), frozenset({"status"}), exact=False),
    ),
    push_or=True,
    push_not=True,
    order=Order.NEWEST_FIRST,
    whole_traces=True,
    max_range_ns=90 * 60 * 1_000_000_000,
    native_attributes=True,
)


def test_capabilities_are_json_without_numbers_that_a_browser_rounds() -> None:
    data = json.loads(json.dumps(as_data(ABLE)))
    assert data["max_range_ns"] == "5400000000000"
    assert data["push"][0]["scopes"] == ["", "span"]
    assert data["push"][1] == {**data["push"][1], "names": ["status"], "exact": False}
    assert as_data(Capabilities())["max_range_ns"] is None


def test_capabilities_are_sentences() -> None:
    assert in_words(ABLE) == (
        "It filters span, unscoped (any name) by != !~ < <= = =~ > >=.",
        "It narrows intrinsic (status) by != !~ < <= = =~ > >=; Arcane checks the rest.",
        "It answers || itself.",
        "It answers !( ) itself.",
        "It answers with the newest traces first.",
        "It answers a search with whole traces.",
        "It searches at most 1.5 hours at once; longer searches are split.",
        "It knows its attribute names and values by an index.",
    )


def test_a_backend_that_can_only_list_says_so() -> None:
    assert in_words(Capabilities())[0] == "It lists traces of a time range; every condition is evaluated by Arcane."


def test_sentences_can_be_said_in_another_language() -> None:
    assert told(in_words(Capabilities())[0], str.upper).startswith("IT LISTS TRACES")
