"""Every type of problem that the code can answer with."""

from __future__ import annotations

import importlib
import pkgutil

import arcane
import web
from arcane.kit.problems import Problem


def every_problem() -> set[type[Problem]]:
    """Returns the problems of the application and of its pages, none that a test made."""
    for package in (arcane, web):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: set[type[Problem]] = set()
    waiting: list[type[Problem]] = [Problem]
    while waiting:
        kind = waiting.pop()
        found.add(kind)
        waiting += kind.__subclasses__()
    return {kind for kind in found if kind.__module__.startswith(("arcane.", "web."))}
