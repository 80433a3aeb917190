"""A datasource as the engine sees it: a name to show and a live adapter to ask."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.spi.adapter import Adapter


@dataclass(frozen=True, slots=True)
class Source:
    """One datasource that a question is put to. `id` is the datasource's id as text, `kind` its adapter's name."""

    id: str
    name: str
    kind: str
    adapter: Adapter
