"""A room that size wants a wall: files stay under 400 lines, functions under 60."""

from __future__ import annotations

import ast

from tests.support.repository_files import ROOT, sources

LONGEST_FILE = 400
LONGEST_FUNCTION = 60

WAIVED_FILES: dict[str, str] = {}
"""Path -> why it is better in one piece."""

WAIVED_FUNCTIONS: dict[str, str] = {}
"""path::function -> why it is better in one piece."""


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        str(path): lines
        for path in sources(".py", ".ts", ".js", ".mjs", ".html", ".css")
        if (lines := (ROOT / path).read_text().count("\n")) > LONGEST_FILE
    }
    assert {path: lines for path, lines in long.items() if path not in WAIVED_FILES} == {}
    assert set(WAIVED_FILES) <= set(long), "a waiver that is not needed any more"


def test_no_function_is_longer_than_60_lines() -> None:
    long = {}
    for path in sources(".py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{path}::{node.name}"] = lines
    assert {name: lines for name, lines in long.items() if name not in WAIVED_FUNCTIONS} == {}
    assert set(WAIVED_FUNCTIONS) <= set(long), "a waiver that is not needed any more"
