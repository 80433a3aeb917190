"""How a datasource answers, in every state that it can be in; and sentences that gettext can fill."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from arcane.catalog.breaker import BreakerState
from arcane.catalog.views import HealthView
from arcane.model.outcome import SourceError
from web.assets import Assets
from web.i18n import Languages
from web.rendering import TEMPLATES, environment

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FAULT = SourceError("unreachable", "nobody is there")
STATES = {
    "unknown": HealthView("unknown", None, None, None, None),
    "ok": HealthView("ok", NOW, None, None, 1.0, 1.0, 2.5, 7),
    "failing": HealthView("failing", NOW, NOW, FAULT, 1.0, 1.0, 2.5, 7, 2, 1),
    "never answered": HealthView("failing", None, NOW, FAULT, None, faults=1),
    "open": HealthView("failing", NOW, NOW, FAULT, 1.0, 1.0, 2.5, 7, 5, 1, BreakerState.OPEN, NOW),
    "probed": HealthView("failing", NOW, NOW, FAULT, 1.0, 1.0, 2.5, 7, 5, 1, BreakerState.HALF_OPEN, NOW),
}


@pytest.mark.parametrize("state", STATES)
def test_health_reads_in_every_state(state: str) -> None:
    jinja = environment(Languages.load().by_code["en"], Assets(), reloads=False)
    jinja.globals["glyph"] = lambda name, small=False: ""
    datasource = SimpleNamespace(id="1", health=STATES[state])
    template = jinja.get_template("datasources/health.html")
    text = template.render(datasource=datasource, base="/b", shell=SimpleNamespace(zone=UTC))
    assert ("95 % within" in text) is (state != "unknown")
    assert ("It is not asked for now" in text) is (state == "open")
    assert ("It is being tried again" in text) is (state == "probed")


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_a_per_cent_sign_in_a_sentence_is_doubled(file: object) -> None:
    """Jinja's gettext fills every sentence, also one without holes."""
    text = (TEMPLATES / str(file)).read_text("utf-8")
    sentences = re.findall(r"""\b_\((?:"([^"]*)"|'([^']*)')""", text)
    for sentence in ("".join(found) for found in sentences):
        assert not re.search(r"%(?![(%])", sentence.replace("%%", "")), sentence
