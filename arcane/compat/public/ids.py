"""Ids in paths: the original took any text there, and so do its clients."""

from __future__ import annotations

from uuid import UUID

from arcane.kit.problems import NotFound


def id_of(text: str, unknown: NotFound) -> UUID:
    """Returns the id that `text` is; raises `unknown` for what is none."""
    try:
        return UUID(text)
    except ValueError:
        raise unknown from None
