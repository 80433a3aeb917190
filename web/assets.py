"""The built files of web/static/dist: names that hold a hash, served as never changing.

A file is read once and sent from memory from then on: a page that takes a dozen of them at once needs neither threads
nor file descriptors for that, so it has its styles even when those are short.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from arcane.kit.problems import NotFound, Unavailable

STATIC = Path(__file__).parent / "static" / "dist"
FOREVER = "public, max-age=31536000, immutable"
_MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".map": "application/json",
}


class AssetsMissing(Unavailable):
    """`npm ci && npm run build` has not run, so pages have no styles."""

    slug = "assets-missing"
    title = "Pages are not built"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent: `plain` is what it holds, `brotli` its compressed twin where there is one."""

    plain: bytes
    media_type: str
    brotli: bytes | None = None


@dataclass(frozen=True, slots=True)
class Assets:
    """The manifest of one build. In development it is read again when the build changed."""

    folder: Path = STATIC
    reloads: bool = False
    _names: dict[str, str] = field(default_factory=dict)
    _files: dict[str, Asset] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path = STATIC, *, reloads: bool = False) -> Assets:
        """Returns the assets of `folder`; a missing build is reported when a page asks, not here."""
        return cls(folder, reloads, _read_manifest(folder))

    def url(self, name: str) -> str:
        """Returns the address of `app.css` and the like; raises AssetsMissing before the first build."""
        names = _read_manifest(self.folder) if self.reloads or not self._names else self._names
        hashed = names.get(name)
        if hashed is None:
            raise AssetsMissing(f"{name} is not built; run `npm ci && npm run build`, then reload")
        return f"/assets/{hashed}"

    def find(self, name: str) -> Asset:
        """Returns the file `name` of the folder itself; raises NotFound for any other path."""
        known = self._files.get(name)
        if known is None:
            known = self._files[name] = self._read(name)
        return known

    def _read(self, name: str) -> Asset:
        path = self.folder / name
        media_type = _MEDIA_TYPES.get(path.suffix)
        if media_type is None or path.parent != self.folder or not path.is_file():
            raise NotFound("there is no such asset")
        twin = self.folder / f"{name}.br"
        return Asset(path.read_bytes(), media_type, twin.read_bytes() if twin.is_file() else None)


def _read_manifest(folder: Path) -> dict[str, str]:
    file = folder / "manifest.json"
    if not file.is_file():
        return {}
    names: dict[str, str] = json.loads(file.read_text("utf-8"))
    return names
