"""The golden cases of scorers: tests/data/scorers/<module>.json.

A file names its scorer and has cases: inputs, settings, scale and labels of the score, what the model says (`replies`
by the title of the schema, `vectors` by text), and what comes of it: `value`, `label`, `reasoning`, `details` and
`calls`, or the kind of the `error` with a part of its `message`. A case of a RAGAS metric has also what ragas itself
made of the same replies (`ragas`, written by tests/support/ragas_golden.py); where ours `differs`, it says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcane.kit.ids import new_id
from arcane.messaging.generation import ModelSpec, Provider
from arcane.messaging.scoring import Label, Scale, ScorerSpec
from tests.support.scripted_models import ScriptedModels

FOLDER = Path(__file__).parents[1] / "data" / "scorers"
MODEL = ModelSpec(configuration=new_id(), provider=Provider.OPENAI, model="scripted")


@dataclass(frozen=True)
class Golden:
    """One case of one scorer."""

    module: str
    key: str
    told: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.module}: {self.told['name']}"

    @property
    def spec(self) -> ScorerSpec:
        return ScorerSpec(
            key=self.key,
            scale=Scale(self.told.get("scale", "numeric")),
            settings=self.told.get("settings", {}),
            labels=tuple(Label(name, float(value)) for name, value in self.told.get("labels", ())),
            model=MODEL,
            embedding=MODEL,
        )

    @property
    def models(self) -> ScriptedModels:
        return ScriptedModels(self.told.get("replies"), self.told.get("vectors"))

    @property
    def value(self) -> float | None:
        """What is to come out: what ragas says, unless the case differs or is none of ragas's."""
        value = self.told["ragas"] if "ragas" in self.told and "differs" not in self.told else self.told.get("value")
        assert value is None or isinstance(value, int | float), f"{self.id}: ragas gave {value}; say why ours differs"
        return value


def files() -> Iterator[str]:
    """Yields the modules that have golden cases, as `ragas/faithfulness`."""
    for path in sorted(FOLDER.rglob("*.json")):
        yield path.relative_to(FOLDER).with_suffix("").as_posix()


def goldens() -> Iterator[Golden]:
    """Yields every case."""
    for module in files():
        document = json.loads((FOLDER / f"{module}.json").read_text())
        for case in document["cases"]:
            yield Golden(module, document["scorer"], case)
