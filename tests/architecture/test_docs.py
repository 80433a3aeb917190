"""The documentation says what the code does: settings, commands, problems, decisions, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.__main__ import NAMES
from tests.support.problems import every_problem
from tests.support.reference_pages import PAGES, REFERENCE
from tests.support.repository_files import PACKAGES, ROOT, files, sources

ADR_SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "How it is enforced"]
ADRS = [path for path in sources(".md") if path.parent == Path("docs/adr")]
PROSE = [path for path in sources(".md") if path.parts[0] != "tests"]
GLOSSARY = ("span", "trace", "predicate", "pushdown", "residual", "scan", "plan", "capability", "datasource", "adapter")


@pytest.mark.parametrize("page", PAGES)
def test_a_reference_page_is_equal_to_the_code(page: str) -> None:
    assert (REFERENCE / page).read_text() == PAGES[page](), f"docs/reference/{page} is old: run `make docs`"


def test_every_problem_type_has_a_page_and_every_page_a_problem() -> None:
    slugs = {kind.slug: kind for kind in every_problem()}
    pages = {
        path.stem: (ROOT / path).read_text()
        for path in sources(".md")
        if path.parts[:3] == ("docs", "reference", "problems")
    }
    assert set(slugs) - set(pages) == set(), "problems without a page"
    assert set(pages) - set(slugs) == set(), "pages without a problem"
    for slug, text in pages.items():
        assert f"`type: /problems/{slug}` · status {slugs[slug].status}" in text, slug
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["What it means", "What to do"], slug


@pytest.mark.parametrize("adr", ADRS, ids=lambda path: path.stem)
def test_a_decision_has_its_sections(adr: Path) -> None:
    text = (ROOT / adr).read_text()
    assert re.match(rf"# {int(adr.stem[:4])}\. .+\n\n(Accepted|Superseded)", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ADR_SECTIONS
    assert len(text.splitlines()) <= 60, "a decision is one page"


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    numbers = [int(path.stem[:4]) for path in ADRS if path.stem != "README"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_decision_that_the_code_names_is_there() -> None:
    numbers = {path.stem[:4] for path in ADRS}
    for path in sources(".py", ".toml", ".md"):
        for number in re.findall(r"docs/adr/(\d{4})", (ROOT / path).read_text()):
            assert number in numbers, f"{path} names docs/adr/{number}"


def test_every_benchmark_is_run_and_has_a_row() -> None:
    """`stub` and `model_stub` are what they are run against, `awake` runs beside them."""
    text = (ROOT / "bench/README.md").read_text()
    told = {"__main__": text.count("`python -m bench`"), "stub": 1, "model_stub": 1, "awake": 1}
    for path in sources(".py"):
        if path.parts[0] == "bench" and "if __name__ ==" in (ROOT / path).read_text():
            assert told.get(path.stem) or (path.stem in NAMES and f"| `python -m bench.{path.stem}` |" in text), path


@pytest.mark.parametrize("page", PROSE, ids=str)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (ROOT / page.parent / target).exists(), f"{page} links to {target}"


def test_every_link_to_a_heading_finds_it() -> None:
    lost = []
    for page in PROSE:
        for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", (ROOT / page).read_text()):
            if not target.startswith(("http://", "https://")):
                there = ROOT / page.parent / target if target else ROOT / page
                lost += [] if anchor in _anchors(there.read_text()) else [f"{page} links to {target}#{anchor}"]
    assert lost == []


def _anchors(text: str) -> set[str]:
    """Returns what the headings of a page are linked by."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_command_has_the_options_that_are_shown() -> None:
    sections = re.split(r"^## arcane (.+)$", PAGES["command-line.md"](), flags=re.MULTILINE)[1:]
    options = {
        name: {"--help", *re.findall(r"`(--[a-z-]+)`", text)}
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }
    unknown = []
    for page in PROSE:
        text = (ROOT / page).read_text().replace("\\\n", " ")
        for call in re.findall(r"(?:^|[`\s/])arcane ([a-z][^`|;&#\n]*)", text, re.MULTILINE):
            name = next((name for name in options if f"{call} ".startswith(f"{name} ")), None)
            shown = set(re.findall(r"\s(--[a-z-]+)", call)) if name else set()
            unknown += [f"{page} says {option} of arcane {name}" for option in shown - options.get(str(name), shown)]
    assert unknown == []


@pytest.mark.parametrize("page", PROSE, ids=str)
def test_every_command_exists(page: Path) -> None:
    text = (ROOT / page).read_text()
    code = "\n".join(re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = set(re.findall(r"^## arcane (\S+)", PAGES["command-line.md"](), re.MULTILINE))
    for target in re.findall(r"(?:^|\s)make ([a-z0-9-]+)\b", code):
        assert target in targets, f"{page} says make {target}"
    for command in re.findall(r"(?:^|[\s/])arcane ([a-z][a-z-]+)\b", code, re.MULTILINE):
        assert command in commands, f"{page} says arcane {command}"


@pytest.mark.parametrize("page", PROSE, ids=str)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = set(re.findall(r"`(ARCANE_\w+)`", PAGES["settings.md"]()))
    for name in re.findall(r"\bARCANE_[A-Z]+__[A-Z_]+\b", (ROOT / page).read_text()):
        assert name in known, f"{page} names {name}"


def test_the_glossary_has_the_words_that_the_code_is_written_in() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text()
    assert [word for word in GLOSSARY if f"**{word}**" not in glossary] == []


def test_the_tree_in_architecture_md_is_the_tree() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    packages = {path.parts[1] for path in files() if path.parts[0] == "arcane" and len(path.parts) > 2}
    assert [name for name in sorted(packages) if f"`{name}`" not in text] == []


def test_every_command_that_the_product_names_exists() -> None:
    commands = set(re.findall(r"^## arcane (\S+)", PAGES["command-line.md"](), re.MULTILINE))
    for path in sources(".py", ".html"):
        if path.parts[0] in PACKAGES:
            for command in re.findall(r"[`“]arcane ([a-z][a-z-]+)\b", (ROOT / path).read_text()):
                assert command in commands, f"{path} says arcane {command}"
