"""What the engine and the adapters say comes out in the language of the page."""

from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from arcane.catalog.words import in_words
from arcane.federation.explain import conditions_of, steps_of
from arcane.federation.plan import plan
from arcane.federation.run import error_of
from arcane.model.notice import Notice
from arcane.model.outcome import SourceOutcome, SourceStatus
from arcane.spi import Capabilities, Unreachable
from arcane.traceql.parse import parse
from arcane.traces.questions import PlannedSource as Planned
from web.assets import Assets
from web.extraction import declared, noticed
from web.i18n import Language, Languages
from web.plans import Plan, planned_source
from web.rendering import environment
from web.sources import source_lines

ROOT = Path(__file__).parents[3]
CATALOG = {
    "%(origin)s refuses connections: nothing listens there": "%(origin)s nimmt keine Verbindung an",
    "Stopped after looking at %(count)d traces; the next page goes on from there.": "Nach %(count)d Spuren angehalten.",
    "Keep those that match %(query)s, until the page is full.": "Behalte, was zu %(query)s passt.",
    "the datasource cannot answer it": "die Quelle kann das nicht",
    "there is another dataset named %(name)s": "es gibt schon einen Datensatz namens %(name)s",
    "the closing brace is missing": "die schließende Klammer fehlt",
}


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Language:
    folder = tmp_path_factory.mktemp("locale") / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    entries = "\n".join(f'msgid "{text}"\nmsgstr "{translated}"\n' for text, translated in CATALOG.items())
    (folder / "messages.po").write_text(head + entries, "utf-8")
    return Languages.load(folder.parents[1]).by_code["de"]


def test_a_warning_and_an_error_are_told_in_the_language_of_the_page(german: Language) -> None:
    refused = Notice("%(origin)s refuses connections: nothing listens there", origin="tempo:3200")
    stopped = Notice("Stopped after looking at %(count)d traces; the next page goes on from there.", count=500)
    lines = source_lines(
        (
            SourceOutcome("a", "one", "tempo", SourceStatus.FAILED, 0, 1.0, error=error_of(Unreachable(refused))),
            SourceOutcome(
                "b", "two", "tempo", SourceStatus.APPROXIMATE, 3, 1.0, warnings=(stopped, "as a plugin says")
            ),
        ),
        german,
        asks=True,
    )
    jinja = environment(german, Assets(), reloads=False)
    page = jinja.from_string('{% from "components/strip.html" import source_strip %}{{ source_strip(lines) }}').render(
        lines=lines
    )
    assert "tempo:3200 nimmt keine Verbindung an" in page
    assert "Nach 500 Spuren angehalten." in page
    assert "as a plugin says" in page
    assert "Stopped" not in page


def test_an_explanation_is_told_in_the_language_of_the_page(german: Language) -> None:
    can = Capabilities()
    made = plan(parse("{ status = error }"), can, alone=True)
    planned = Planned("a", "one", "tempo", None, made.residual_text, steps_of(made, can), conditions_of(made))
    source = planned_source(planned, german)
    page = (
        environment(german, Assets(), reloads=False)
        .get_template("traces/explain.html")
        .render(plan=Plan("/search", "/explain", canonical="{ status = error }", sources=(source,)))
    )
    assert "die Quelle kann das nicht" in page
    assert "Behalte, was zu { status = error } passt." in page


def test_why_somebody_is_refused_is_told_in_the_language_of_the_page(german: Language) -> None:
    jinja = environment(german, Assets(), reloads=False)
    page = jinja.from_string('{% from "components/state.html" import notice %}{{ notice("", said) }}')
    assert "es gibt schon einen Datensatz namens Größe" in page.render(said="there is another dataset named Größe")
    assert "nobody translated this" in page.render(said="nobody translated this")
    long = "there is another dataset named " + "x" * 2_000
    assert german.tell(long) == long


def test_every_notice_and_every_error_is_in_the_catalog_that_make_writes() -> None:
    found = extracted("arcane") | extracted("datasources")
    assert CATALOG.keys() <= found
    assert {"No connection to the backend.", "The answer was cut off.", "%(origin)s did not answer in time"} <= found
    assert {sentence.template for sentence in in_words(Capabilities())} <= found
    plugin = ROOT / "datasources/memory/plugin.py"
    with plugin.open("rb") as source:
        assert "Line %(number)d is not OTLP JSON." in {text for _, _, text, _ in declared(source, (), (), {})}


def extracted(folder: str) -> set[str]:
    methods: list[tuple[str, object]] = [("**.py", noticed)]
    return {row[2] for row in extract_from_dir(ROOT / folder, methods)}  # type: ignore[arg-type, misc]


def test_what_is_wrong_with_a_single_field_is_found_wherever_it_is_said() -> None:
    source = b"""
past = "this time has passed"
def _why(name):
    return f"there is no {name}" if name else "say which"
def check(value):
    if not value:
        raise ValueError("a value is needed")
    yield FieldError("#/name", "a name is needed")
    yield ("#/mode", "a mode is needed")
    yield (f"#/{value}/size", "a size is needed")
    yield {"pointer": "#/until", "detail": past}
    yield {"pointer": "#/kind", "detail": _why(value)}
    yield ("elsewhere", "this is no sentence")
"""
    needed = {f"a {part} is needed" for part in ("value", "name", "mode", "size")}
    found = {template for _, _, template, _ in noticed(BytesIO(source), (), (), {})}
    assert found == needed | {"this time has passed", "there is no %(name)s", "say which"}
