"""Two people change one thing at once: nobody undoes unseen what the other one did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from arcane.kit.problems import Conflict

Seen = Annotated[
    datetime | None,
    Field(description="`updated_at` as you saw it; 409 when somebody has changed it since. Left out, nobody asks."),
]


def check_seen(what: str, seen: datetime | None, updated_at: datetime) -> None:
    """Returns when nobody has changed the thing since it was seen, or when that is not said; raises Conflict."""
    if seen is not None and seen != updated_at:
        raise Conflict(f"somebody else changed the {what} meanwhile; look at it again, then save")


def seen_of(text: str) -> datetime | None:
    """Returns when the thing had last been changed that a form shows; None where the form does not say."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
