"""Encrypting stored secrets anew with the first key of the ring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from arcane.catalog.sealing import sealed, unsealed
from arcane.catalog.tables import Datasource
from arcane.kit.secrets import KeyRing, SecretUnreadable


@dataclass(frozen=True, slots=True)
class RotationReport:
    """What a rotation did. `unreadable` are datasources with a secret that no key of the ring opens."""

    datasources: int = 0
    secrets: int = 0
    rotated: int = 0
    unreadable: tuple[UUID, ...] = ()


def rotated(row: Datasource, keys: KeyRing, report: RotationReport) -> tuple[RotationReport, dict[str, str]]:
    """Returns the report with `row` counted in, and the row's envelopes; what cannot be read stays as it is."""
    envelopes = dict(row.secrets)
    changed, unreadable = 0, False
    for pointer, envelope in row.secrets.items():
        try:
            if not keys.is_current(envelope):
                secret = unsealed(pointer, envelope, str(row.id), keys)
                envelopes.update(sealed({pointer: secret}, str(row.id), keys))
                changed += 1
        except SecretUnreadable:
            unreadable = True
    counted = replace(
        report,
        datasources=report.datasources + 1,
        secrets=report.secrets + len(row.secrets),
        rotated=report.rotated + changed,
        unreadable=(*report.unreadable, row.id) if unreadable else report.unreadable,
    )
    return counted, envelopes
