"""Which files a path means, and that nothing else is read."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest
from pydantic import ValidationError

from arcane.spi import (
    AdapterContext,
    Deadline,
    Misconfigured,
    ScanRequest,
)
from arcane.spi.testing import scan_all
from datasources.otlp_file.adapter import OtlpFileAdapter
from datasources.otlp_file.plugin import PLUGIN
from tests.unit.datasources.otlp_files import (
    LARGE,
    TRACES,
    WHOLE,
    adapter_of,
    assert_has,
    everything,
    line,
)

pytestmark = pytest.mark.anyio


async def test_globs_and_folders_find_their_files(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one.jsonl").write_bytes(line(TRACES[0]))
    (tmp_path / "a" / "b" / "two.json").write_bytes(line(TRACES[1]))
    (tmp_path / "a" / "notes.txt").write_bytes(b"no traces in here\n")
    assert_has(await everything(adapter_of("a", tmp_path)), TRACES[:1])
    assert_has(await everything(adapter_of("**/*.json*", tmp_path)), TRACES[:2])
    assert_has(await everything(adapter_of(str(tmp_path / "a" / "b" / "*"), tmp_path)), TRACES[1:2])


@pytest.mark.parametrize("pattern", ["../secret.jsonl", "a/../../secret.jsonl", "/etc/passwd", "../*.jsonl"])
async def test_nothing_outside_of_the_roots_is_read(tmp_path: Path, pattern: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.jsonl").write_bytes(line(TRACES[0]))
    with pytest.raises(Misconfigured):
        await everything(adapter_of(pattern, root))


async def test_a_link_that_leads_out_is_refused_and_one_that_stays_is_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.jsonl").write_bytes(line(TRACES[0]))
    (root / "in.jsonl").write_bytes(line(TRACES[1]))
    (root / "fine.jsonl").symlink_to(root / "in.jsonl")
    assert_has(await everything(adapter_of("fine.jsonl", root)), TRACES[1:2])
    assert_has(await everything(adapter_of(".", root)), TRACES[1:2])
    (root / "out.jsonl").symlink_to(tmp_path / "secret.jsonl")
    for pattern in ("out.jsonl", "*.jsonl", "."):
        with pytest.raises(Misconfigured, match="outside"):
            await everything(adapter_of(pattern, root))


async def test_a_root_that_is_a_link_is_a_root(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "t.jsonl").write_bytes(line(TRACES[0]))
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert_has(await everything(adapter_of("t.jsonl", tmp_path / "root")), TRACES[:1])
    assert_has(await everything(adapter_of(str(tmp_path / "root" / "t.jsonl"), tmp_path / "root")), TRACES[:1])


async def test_without_roots_nothing_is_read(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="switched off"):
        await OtlpFileAdapter("t.jsonl", (), LARGE).check(Deadline.after(5))


async def test_a_path_that_is_not_there_says_so_and_a_pattern_may_match_later(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no file or folder"):
        await everything(adapter_of("nope.jsonl", tmp_path))
    adapter = adapter_of("*.jsonl", tmp_path)
    assert (await everything(adapter)).candidates == ()
    assert (await adapter.check(Deadline.after(5))).findings == ("No file matches the path yet.",)
    (tmp_path / "t.jsonl").write_bytes(line(TRACES[0]))
    assert_has(await everything(adapter), TRACES[:1])


async def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    (tmp_path / "t.jsonl").write_bytes(line(TRACES[0]))
    with anyio.fail_after(5):
        assert_has(await everything(adapter_of("*.jsonl", tmp_path)), TRACES[:1])


async def test_the_plugin_reads_below_the_hosts_roots_only(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(line(TRACES[0]))
    settings = PLUGIN.settings(path=" t.jsonl ")
    assert (PLUGIN.base_url(settings), PLUGIN.headers(settings)) == (None, {})
    context = AdapterContext(http=None, max_response_bytes=1, file_roots=(tmp_path,))  # type: ignore[arg-type]
    answer = await scan_all(PLUGIN.connect(settings, context), ScanRequest(WHOLE, limit=10))
    assert [one.trace_id for one in answer.candidates] == [TRACES[0].trace_id]
    with pytest.raises(ValidationError):
        PLUGIN.settings(path="a\0b")
