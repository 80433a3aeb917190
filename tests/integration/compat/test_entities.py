"""Entities through the published client, sync and async."""

from __future__ import annotations

from uuid import uuid4

import pytest
from arcane_sdk import ArcaneClient, ArcaneClientAsync
from arcane_sdk.errors import ArcanNotFoundError, ArcanUnauthorizedError

pytestmark = pytest.mark.postgres

ENTITY = {
    "id", "name", "description", "type", "matchingAttributeName", "matchingPatternType", "matchingPattern",
    "matchingValue", "entityType", "entityHighlights", "messageMatching", "iconId", "externalId", "createdAt",
    "updatedAt",
}  # fmt: skip


@pytest.mark.anyio
async def test_entities_are_listed_and_got(
    sdk: ArcaneClient, asking: ArcaneClientAsync, reader: ArcaneClient, nobody: ArcaneClient
) -> None:
    found = sdk.entities.list()
    assert {frozenset(one) for one in found} == {frozenset(ENTITY)}
    assert found == await asking.entities.list() == reader.entities.list()
    first = found[0]
    assert first == sdk.entities.get(first["id"]) == await asking.entities.get(first["id"])
    for nothing in (str(uuid4()), "nothing"):
        with pytest.raises(ArcanNotFoundError, match="entity"):
            sdk.entities.get(nothing)
    with pytest.raises(ArcanUnauthorizedError):
        nobody.entities.list()
