"""All dialects, in the order in which they are believed. A new one is a file and a line here."""

from __future__ import annotations

from arcane.conventions import langfuse, mlflow, openinference, openllmetry, otel_genai, pydantic_ai, vercel_ai
from arcane.conventions.dialect import Dialect

REGISTRY: tuple[Dialect, ...] = (
    langfuse.DIALECT,  # what the application says by hand outranks what a library infers
    openinference.DIALECT,
    mlflow.DIALECT,
    vercel_ai.DIALECT,
    pydantic_ai.DIALECT,
    openllmetry.DIALECT,
    otel_genai.DIALECT,
)
