"""Log events are constant names: searchable, countable, and unable to carry what a trace says (R1)."""

from __future__ import annotations

import ast
import re

from tests.support.repository_files import ROOT, modules

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
EVENT = re.compile(r"[a-z]+(_[a-z0-9]+)*")
CONTENT = {
    "attributes",
    "attribute_value",
    "body",
    "content",
    "message",
    "messages",
    "prompt",
    "completion",
    "query",
    "span",
    "trace",
}


def test_every_event_is_a_constant_snake_case_name_without_trace_content() -> None:
    wrong = set()
    for path in modules():
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "logger")):
                continue
            event = node.args[0] if node.args else None
            constant = isinstance(event, ast.Constant) and isinstance(event.value, str) and EVENT.fullmatch(event.value)
            named_before = isinstance(event, ast.Name)  # chosen among constants a line above
            if not (constant or named_before) or len(node.args) > 1:
                wrong.add(f"{path}:{node.lineno}: the event is not a constant snake_case name")
            if CONTENT & {keyword.arg for keyword in node.keywords}:
                wrong.add(f"{path}:{node.lineno}: trace content in a log")
    assert wrong == set()
