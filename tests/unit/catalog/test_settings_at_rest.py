import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretBytes, SecretStr

from arcane.catalog.configure import stored_model, validated
from arcane.catalog.editing import Configured, checked_texts, configured, reconfigured
from arcane.catalog.form import MASK
from arcane.catalog.problems import InvalidDatasource
from arcane.catalog.rotation import RotationReport, rotated
from arcane.catalog.sealing import masked, opened, sealed
from arcane.catalog.tables import Datasource
from arcane.kit.ids import new_id
from arcane.kit.secrets import KeyRing, generate_key
from arcane.spi import Misconfigured
from tests.support.plugins import FileishPlugin, ProbePlugin, ProbeSettings

OLD_KEY = generate_key()
KEYS = KeyRing.from_texts([OLD_KEY])
PROBE = ProbePlugin()
FULL = {
    "url": "https://tempo.example:3200/a",
    "tenant": "t",
    "token": "canary-token",
    "headers": {"X-A/B": "canary-header", "X-C~D": "canary-tilde"},
    "auth": {"user": "me", "password": "canary-password"},
}
POINTERS = {"/token", "/headers/X-A~1B", "/headers/X-C~0D", "/auth/password"}


def row_of(settings: dict[str, object], plugin: ProbePlugin = PROBE) -> Datasource:
    made = configured(plugin, settings)
    row_id = new_id()
    return Datasource(
        id=row_id, organisation_id=new_id(), kind=plugin.kind, name="n", created_by="me",
        settings=made.public, secrets=sealed(made.secrets, str(row_id), KEYS),
    )  # fmt: skip


def pointers(failure: pytest.ExceptionInfo[InvalidDatasource]) -> set[str]:
    return {error.pointer for error in failure.value.errors}


def entered(made: Configured) -> set[str]:
    return set(made.entered)


def test_secrets_are_parted_from_settings_however_deep() -> None:
    public, secrets = opened(ProbeSettings.model_validate(FULL))
    assert "canary" not in json.dumps(public)
    assert {pointer for pointer, secret in secrets.items() if secret} == POINTERS
    assert public["auth"] == {"user": "me"}


def test_what_was_stored_comes_back() -> None:
    row = row_of(FULL)
    assert "canary" not in json.dumps([row.settings, row.secrets])
    assert stored_model(PROBE, row, KEYS) == ProbeSettings.model_validate(FULL)


def test_secrets_are_shown_masked() -> None:
    row = row_of(FULL)
    shown = masked(row.settings, row.secrets)
    assert shown["token"] == shown["auth"]["password"] == shown["headers"]["X-A/B"] == MASK
    assert shown["tenant"] == "t"
    assert "canary" not in json.dumps(shown)


def test_an_envelope_does_not_move_between_rows_or_fields() -> None:
    one, two = row_of(FULL), row_of(FULL)
    two.secrets = one.secrets
    with pytest.raises(Misconfigured, match="cannot be read"):
        stored_model(PROBE, two, KEYS)
    one.secrets = {**one.secrets, "/token": one.secrets["/auth/password"]}
    with pytest.raises(Misconfigured, match="cannot be read"):
        stored_model(PROBE, one, KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tenant": "u"},
        {"token": MASK, "headers": {"X-A/B": MASK}, "auth": {"user": "you", "password": MASK}},
        {"url": "https://tempo.example:3200/other/path"},
        {"url": "https://TEMPO.example:3200"},
    ],
)
def test_secrets_left_out_or_masked_are_kept(change: dict[str, object]) -> None:
    made = reconfigured(PROBE, row_of(FULL), change, KEYS)
    assert set(made.secrets) == POINTERS
    assert made.secrets["/token"] == "canary-token"
    assert made.entered == ()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example:3200/a",
        "https://tempo.example:3201/a",
        "http://tempo.example:3200/a",
        "https://tempo.example.evil.example:3200/a",
        "https://tempo.example",
    ],
)
def test_kept_secrets_do_not_follow_the_address_to_another_origin(url: str) -> None:
    with pytest.raises(InvalidDatasource) as failure:
        reconfigured(PROBE, row_of(FULL), {"url": url, "token": MASK}, KEYS)
    assert pointers(failure) == {f"#/settings{pointer}" for pointer in POINTERS}


def test_a_moved_datasource_is_accepted_with_its_secrets_entered_again_or_cleared() -> None:
    change = {
        "url": "https://new.example",
        "token": "fresh",
        "headers": None,
        "auth": {"password": ""},
    }
    made = reconfigured(PROBE, row_of(FULL), change, KEYS)
    assert made.secrets == {"/token": "fresh"}
    assert entered(made) == {"/token"}
    assert made.public["auth"] == {"user": "me"}


def test_without_an_address_any_change_asks_for_the_secrets_again() -> None:
    plugin = FileishPlugin()
    row = row_of({"folder": "/a", "passphrase": "canary"}, plugin)
    assert reconfigured(plugin, row, {"passphrase": MASK}, KEYS).secrets == {"/passphrase": "canary"}
    with pytest.raises(InvalidDatasource) as failure:
        reconfigured(plugin, row, {"folder": "/b"}, KEYS)
    assert pointers(failure) == {"#/settings/passphrase"}


def test_null_sets_a_field_back_to_its_default() -> None:
    made = reconfigured(PROBE, row_of({**FULL, "limit": 42}), {"limit": None, "tenant": None, "token": None}, KEYS)
    assert (made.public["limit"], made.public["tenant"]) == (10, "")
    assert "/token" not in made.secrets


def test_a_mask_where_nothing_is_stored_is_refused() -> None:
    with pytest.raises(InvalidDatasource) as failure:
        configured(PROBE, {"url": "https://tempo.example", "token": MASK})
    assert pointers(failure) == {"#/settings/token"}


def test_a_secret_that_cannot_be_read_has_to_be_entered_again() -> None:
    row = row_of(FULL)
    others = KeyRing.from_texts([generate_key()])
    with pytest.raises(InvalidDatasource) as failure:
        reconfigured(PROBE, row, {"token": "fresh"}, others)
    assert pointers(failure) == {f"#/settings{pointer}" for pointer in POINTERS - {"/token"}}
    again = {"token": "a", "headers": None, "auth": {"password": "b"}}
    assert set(reconfigured(PROBE, row, again, others).secrets) == {"/token", "/auth/password"}


def test_errors_point_at_fields_and_repeat_nothing_that_was_sent() -> None:
    bad = {"url": "https://tempo.example", "limit": 1000, "tenant": "canary!", "mode": "odd", "auth": {"user": 5}}
    with pytest.raises(InvalidDatasource) as failure:
        validated(PROBE, bad)
    assert pointers(failure) == {"#/settings/limit", "#/settings/tenant", "#/settings/mode", "#/settings/auth/user"}
    assert "canary" not in json.dumps(failure.value.body("/"))


def test_settings_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InvalidDatasource) as failure:
        validated(PROBE, {"url": "https://tempo.example", "tokne": "x"})
    assert pointers(failure) == {"#/settings/tokne"}


def test_settings_an_adapter_has_outgrown_are_named() -> None:
    row = row_of(FULL)
    row.settings = {**row.settings, "limit": 1_000}
    with pytest.raises(Misconfigured, match="do not fit this version of the adapter: limit: Input should be less"):
        stored_model(PROBE, row, KEYS)
    with pytest.raises(InvalidDatasource) as failure:
        reconfigured(PROBE, row, {"limit": 5}, KEYS)
    assert pointers(failure) == {f"#/settings{pointer}" for pointer in POINTERS}, "where they belonged is not known"


def test_long_texts_are_refused() -> None:
    assert checked_texts("  a  b ", " c ") == ("a b", "c")
    with pytest.raises(InvalidDatasource) as failure:
        checked_texts("n" * 101, "d" * 2_001)
    assert pointers(failure) == {"#/name", "#/description"}


class Several(BaseModel):
    """A list of secrets."""

    url: str = "https://tempo.example"
    tokens: list[SecretStr] = []
    blob: SecretBytes = SecretBytes(b"")


class SeveralPlugin(ProbePlugin):
    settings = Several  # type: ignore[assignment]

    def headers(self, settings: BaseModel) -> dict[str, str]:
        return {}


def test_secrets_in_lists_keep_their_place() -> None:
    plugin = SeveralPlugin()
    row = row_of({"tokens": ["one", "two"], "blob": "three"}, plugin)
    assert row.settings["tokens"] == [None, None]
    assert set(row.secrets) == {"/tokens/0", "/tokens/1", "/blob"}
    assert reconfigured(plugin, row, {"tokens": [MASK, "2"]}, KEYS).secrets == {
        "/tokens/0": "one", "/tokens/1": "2", "/blob": "three",
    }  # fmt: skip
    assert reconfigured(plugin, row, {"tokens": [MASK]}, KEYS).secrets == {"/tokens/0": "one", "/blob": "three"}


def test_rotation_leaves_every_secret_readable_with_the_new_key_alone() -> None:
    row, new_key = row_of(FULL), generate_key()
    both = KeyRing.from_texts([new_key, OLD_KEY])
    report, row.secrets = rotated(row, both, RotationReport())
    assert report == RotationReport(datasources=1, secrets=4, rotated=4)
    assert stored_model(PROBE, row, KeyRing.from_texts([new_key])) == ProbeSettings.model_validate(FULL)
    again, _ = rotated(row, both, report)
    assert again == RotationReport(datasources=2, secrets=8, rotated=4)


def test_rotation_names_what_it_cannot_read_and_leaves_it() -> None:
    row = row_of(FULL)
    before = dict(row.secrets)
    report, secrets = rotated(row, KeyRing.from_texts([generate_key()]), RotationReport())
    assert (report.rotated, report.unreadable) == (0, (row.id,))
    assert secrets == before


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1).filter(lambda text: text != MASK)))
def test_any_secret_under_any_key_survives_storing_and_keeping(headers: dict[str, str]) -> None:
    settings = {"url": "https://tempo.example", "headers": headers}
    row = row_of(settings)
    loaded = stored_model(PROBE, row, KEYS)
    assert isinstance(loaded, ProbeSettings)
    assert {name: secret.get_secret_value() for name, secret in loaded.headers.items()} == headers
    shown = masked(row.settings, row.secrets)
    assert reconfigured(PROBE, row, shown, KEYS).model == loaded
