"""Which files a path means, and that none of them is outside of the file roots."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic
from itertools import islice
from pathlib import Path

from arcane.spi import Misconfigured

MAX_FILES = 10_000
_SUFFIXES = (".json", ".jsonl", ".ndjson")
_COMPRESSED = (".gz", ".zst", ".zstd")


@dataclass(frozen=True, slots=True)
class Place:
    """A file as it is now. `key` stays the same when the file is renamed."""

    path: Path
    key: tuple[int, int]
    size: int
    changed_ns: int


def find_places(pattern: str, roots: Sequence[Path]) -> list[Place]:
    """Returns the regular files that the pattern means, oldest change first.

    Symbolic links are followed, and what they lead to has to be below a root as well. Raises
    Misconfigured where there are no roots, the pattern leads out of them, or a plain path is not there.
    """
    if not roots:
        raise Misconfigured("Reading files is switched off on this instance: it has no file roots.")
    known = [root.resolve() for root in roots]
    spelled = [*roots, *known] if Path(pattern).is_absolute() else known  # a root may be a link itself
    found: dict[tuple[int, int], Place] = {}
    try:
        for path in islice(_paths(pattern, spelled), MAX_FILES):
            place = _place(path, known)
            if place is not None:
                found[place.key] = place
    except PermissionError as exc:
        raise Misconfigured("The folder may not be read by this process.") from exc
    return sorted(found.values(), key=lambda place: (place.changed_ns, place.path))


def _paths(pattern: str, roots: Sequence[Path]) -> Iterator[Path]:
    if ".." in Path(pattern).parts:
        raise Misconfigured("A path has no `..` in it.")
    if Path(pattern).is_absolute():
        inside = [root for root in roots if Path(pattern).is_relative_to(root)]
        if not inside:
            raise Misconfigured("The path is outside of this instance's file roots.")
        roots, pattern = inside[:1], str(Path(pattern).relative_to(inside[0]))
    if has_magic(pattern):
        for root in roots:
            yield from root.glob(pattern)
        return
    plain = [root / pattern for root in roots if (root / pattern).exists()]
    if not plain:
        raise Misconfigured("There is no file or folder at this path.")
    for path in plain:
        if path.is_dir():
            yield from (child for child in path.iterdir() if _is_named_like_traces(child))
        else:
            yield path


def _is_named_like_traces(path: Path) -> bool:
    name = path.name.lower()
    for suffix in _COMPRESSED:
        name = name.removesuffix(suffix)
    return name.endswith(_SUFFIXES)


def _place(path: Path, roots: Sequence[Path]) -> Place | None:
    """Returns the file, or None where it is gone again or no file; the path in it has no links left to follow."""
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    if not any(real.is_relative_to(root) for root in roots):
        raise Misconfigured("A link leads outside of this instance's file roots.")
    return Place(real, (status.st_dev, status.st_ino), status.st_size, status.st_mtime_ns)
