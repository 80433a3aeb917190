from __future__ import annotations

import io
import random

import pytest
import zstandard

from datasources.otlp_file.zstd_frames import is_cut

_NOISE = random.Random(1).randbytes(300_000)
_SKIPPABLE = b"\x5f\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"


def _frame(content: bytes, *, checksum: bool) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=checksum).compress(content)


@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize(
    "content", [b"", b"x", _NOISE, b"a" * 400_000 + _NOISE], ids=["empty", "tiny", "noise", "runs"]
)
def test_every_cut_of_a_file_is_found_but_those_between_frames(content: bytes, *, checksum: bool) -> None:
    one = _frame(content, checksum=checksum)
    file = one + _SKIPPABLE + one
    whole = {0, len(one), len(one) + len(_SKIPPABLE), len(file)}
    near = {end + offset for end in whole for offset in range(-20, 20)} | {len(one) // 2, len(one) + len(one) // 2}
    ends = {end for end in near if 0 <= end <= len(file)}
    assert {end for end in ends if not is_cut(io.BytesIO(file[:end]))} == whole
