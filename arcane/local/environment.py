"""Settings of a machine's own instance, and how a child process is told about them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from arcane.local.folder import LocalFolder, LocalKeys
from arcane.settings import Settings

LOOPBACK = ("127.0.0.0/8", "::1/128")


def local_settings(given: Settings, folder: LocalFolder, keys: LocalKeys, database_url: str | None) -> Settings:
    """Returns `given`, completed for one machine: what somebody set is kept, what is missing is made up."""
    completed: dict[str, dict[str, Any]] = {
        "database": {"url": SecretStr(database_url)} if database_url else {},
        "secrets": {"keys": [SecretStr(keys.secret)]},
        "worker": {"key": SecretStr(keys.worker)},
        "server": {"public_url": own_address(given)},
        "egress": {"allow_networks": list(LOOPBACK)},
        "files": {"allow_roots": [folder.demo]},
    }
    return given.model_copy(
        update={name: _complete(getattr(given, name), values) for name, values in completed.items()}
    )


def own_address(settings: Settings) -> str:
    """Returns where this machine reaches the backend, whatever it is called from outside."""
    host = settings.server.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


def child_environment(settings: Settings) -> dict[str, str]:
    """Returns this process's environment with everything that `settings` were told explicitly."""
    variables = dict(os.environ)  # noqa: TID251 - handed on, not read
    for group in type(settings).model_fields:
        part: BaseModel = getattr(settings, group)
        for name in part.model_fields_set:
            text = _as_text(getattr(part, name))
            if text is not None:
                variables[f"ARCANE_{group}__{name}".upper()] = text
    return variables


def _complete(group: BaseModel, values: Mapping[str, Any]) -> BaseModel:
    return group.model_copy(
        update={name: value for name, value in values.items() if name not in group.model_fields_set}
    )


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return json.dumps([_as_text(part) for part in value])
    return str(value)
