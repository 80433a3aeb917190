"""One file that is followed, below the adapter."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from arcane.model.span import SpanKind
from arcane.model.trace import LEFT_OUT, Trace
from arcane.spi import Deadline
from datasources.otlp_file.follow import FollowedFile, Line
from datasources.otlp_file.places import find_places
from tests.unit.datasources.otlp_files import TRACES, adapter_of, line


def test_a_file_that_could_not_be_read_is_tried_again_although_it_did_not_change(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"one\n")
    (place,) = find_places("t.jsonl", [tmp_path])
    file = FollowedFile(place)
    path.rename(tmp_path / "away")
    assert (file.next_lines(500), file.behind, file.problem) == ([], False, "The file cannot be read.")
    (tmp_path / "away").rename(path)
    file.look(place)
    assert ([one.text for one in file.next_lines(500)], file.problem) == ([b"one"], None)
    file.close()


def test_a_line_without_end_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(b"one\n" + b"x" * 3_000 + b"\ntwo\n")
    (place,) = find_places("t.jsonl", [tmp_path])
    file = FollowedFile(place, max_line_bytes=1_000)
    found: list[Line] = []
    while file.behind:
        found += file.next_lines(500)
    assert [(one.number, one.text) for one in found] == [(1, b"one"), (3, b"two")]
    assert (file.bad_lines, file.first_bad_line) == (1, 2)


def test_an_overlong_last_line_is_counted_once_whether_it_gets_its_end_or_not(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    file: FollowedFile | None = None
    for more, expected in ((b"one\n" + b"x" * 3_000 + b"}", []), (b"xx\ntwo\n", [(3, b"two")])):
        with path.open("ab") as out:
            out.write(more)
        (place,) = find_places("t.jsonl", [tmp_path])
        if file is None:
            file = FollowedFile(place, max_line_bytes=1_000)
        file.look(place)
        found: list[Line] = []
        while file.behind:
            found += [one for one in file.next_lines(500) if one.number > 1]
        assert [(one.number, one.text) for one in found] == expected
        assert (file.bad_lines, file.first_bad_line) == (1, 2)


@pytest.mark.anyio
@pytest.mark.parametrize("apart", [False, True], ids=["in one file", "in two"])
async def test_a_call_and_its_answer_that_share_an_id_are_not_silently_one(tmp_path: Path, apart: bool) -> None:
    call = TRACES[0].spans[0]
    answer = msgspec.structs.replace(call, name="answer", kind=SpanKind.SERVER)
    for name, one in (("a.json", call), ("b.json" if apart else "a.json", answer)):
        with (tmp_path / name).open("ab") as out:
            out.write(line(Trace(call.trace_id, [one])))
    trace = await adapter_of(".", tmp_path).get_trace(call.trace_id, None, Deadline.after(5))
    assert trace is not None
    assert (len(trace.spans), trace.warnings) == (1, (LEFT_OUT,))
