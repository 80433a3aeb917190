"""The demo on this machine: a day of traces in files, and an organisation whose datasources read them."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

from arcane.access.principals import SYSTEM
from arcane.access.service.organisations import OrganisationService
from arcane.access.service.projects import NewProject, ProjectService
from arcane.catalog.editing import Draft
from arcane.catalog.service import CatalogService
from arcane.demo.generate import write_demo
from arcane.kit.pagination import PageRequest

KIND = "otlp_file"
ORGANISATION = "Demo"
PROJECT = NewProject(name="Agents", description="A day of twelve agents, in three datasources.")
STALE_NS = 12 * 3_600 * 1_000_000_000


def refresh_demo(folder: Path) -> tuple[str, ...]:
    """The demo's files end at most half a day ago, so that the last day shows something. Returns its folders."""
    now = time.time_ns()
    truth = folder / "truth.json"
    if not truth.exists() or now - json.loads(truth.read_text())["end"] > STALE_NS:
        return tuple(write_demo(folder, end=now).folders)
    return tuple(json.loads(truth.read_text())["folders"])


async def load_demo(
    folders: tuple[str, ...], organisations: OrganisationService, projects: ProjectService, catalog: CatalogService
) -> bool:
    """True when an instance without any organisation got the demo's: a project, and a datasource for each folder."""
    if (await organisations.page(SYSTEM, PageRequest(limit=1))).items:
        return False
    organisation = await organisations.create(SYSTEM, ORGANISATION)
    actor = replace(SYSTEM, organisation_id=organisation.id)
    await projects.create(actor, PROJECT)
    for name in folders:
        # Relative to ARCANE_FILES__ALLOW_ROOTS: the folder may be moved.
        await catalog.create(actor, Draft(KIND, name.capitalize(), {"path": name}, "Part of the demo."))
    return True
