"""Time-ordered ids: rows created together lie together (RFC 9562, version 7)."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """Returns a version 7 UUID: 48 bits of milliseconds since the epoch, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (
        (milliseconds & (1 << 48) - 1) << 80
        | 0x7 << 76
        | secrets.randbits(12) << 64
        | 0b10 << 62
        | secrets.randbits(62)
    )
    return UUID(int=value)


_MADE = (
    "overlay(uuid_send(gen_random_uuid()) placing "
    "substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6)"
)
NEW_ID_SQL = f"encode(set_bit(set_bit({_MADE}, 52, 1), 53, 1), 'hex')::uuid"
"""The same, made by Postgres: for INSERT ... SELECT."""


def numbered_id_sql(number: str) -> str:
    """Returns SQL for such an id with `number`, an expression from 0 to 4,095, where its random bits would begin.

    Of one millisecond, the ids stand in the order of their numbers: for rows that are inserted in an order to be kept.
    """
    version_7 = f"substring(int4send({0x7000} + {number}) from 3)"
    return f"encode(overlay({_MADE} placing {version_7} from 7 for 2), 'hex')::uuid"
