"""The icons that the sprite holds; web/build.mjs reads the same list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

ICONS: Final[frozenset[str]] = frozenset(json.loads((Path(__file__).parent / "icons.json").read_text("utf-8")))
