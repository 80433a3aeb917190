"""The datasources of organisations, remembered between requests, so that a search asks no database for them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from uuid import UUID

from arcane.catalog.tables import Datasource
from arcane.kit.announce import Announcer

TOPIC = "catalog"
_MOST_ORGANISATIONS = 1_000


class CatalogMemory:
    """Organisation -> its datasources by id, in order of name. Trusted only while changes are heard."""

    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer
        self._known: OrderedDict[UUID, Mapping[UUID, Datasource]] = OrderedDict()
        self._heard = 0
        announcer.subscribe(TOPIC, self._hear)

    def known(self, organisation_id: UUID) -> Mapping[UUID, Datasource] | None:
        """Returns what is remembered, None when the database has to be asked."""
        if not self._announcer.listening:
            return None
        return self._known.get(organisation_id)

    def moment(self) -> int:
        """Returns a mark to pass to `remember`: what is read after it is newer than every change heard before."""
        return self._heard

    def remember(self, organisation_id: UUID, rows: Sequence[Datasource], moment: int) -> Mapping[UUID, Datasource]:
        """Returns the rows by id; keeps them unless something changed since `moment`."""
        found = {row.id: row for row in rows}
        if moment == self._heard and self._announcer.listening:
            self._known[organisation_id] = found
            while len(self._known) > _MOST_ORGANISATIONS:
                self._known.popitem(last=False)
        return found

    def _hear(self, key: str) -> None:
        self._heard += 1
        if key:
            self._known.pop(UUID(key), None)
        else:
            self._known.clear()
