"""Files that are there whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(file: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """What the block writes is the file once it ends; where it fails, the file is as it was, or was not.

    A file that was there keeps its mode, and a link to it leads to it still. A pipe or a device is written as it is.
    """
    if file.exists() and not file.is_file():
        with file.open("wb") as out:
            yield out
        return
    place = file.resolve()
    partial = place.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        partial.touch(mode, exist_ok=False)
        with partial.open("wb") as out:
            yield out
        if place.exists():
            shutil.copymode(place, partial)
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)
