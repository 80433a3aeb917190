"""Accounts, sessions and permissions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from arcane.access.names import Email, Title
from arcane.access.schemas.base import (
    Answer,
    Body,
    Password,
    Token,
)


class SetupIn(Body):
    """The holder of the setup link becomes the owner."""

    token: Token
    email: Email
    name: Title
    password: Password


class PasswordLinkOut(Answer):
    """A link to a new password; it is shown once."""

    link: str
    expires_at: datetime


class NewPasswordIn(Body):
    """The holder of the link signs in with this password from now on."""

    token: Token
    password: Password


class SetupOut(Answer):
    """Whether somebody still has to become the owner."""

    needs_owner: bool


class SignInIn(Body):
    """E-mail address and password."""

    email: Annotated[str, StringConstraints(max_length=254)]
    password: Password


class SignedInOut(Answer):
    """Who is signed in. Send `csrf_token` as X-CSRF-Token with every change."""

    user_id: UUID
    email: str
    name: str
    is_owner: bool
    session_id: UUID
    csrf_token: str
    expires_at: datetime


class AccountOut(Answer):
    """An account."""

    id: UUID
    email: str
    name: str
    is_owner: bool
    created_at: datetime


class Accounts(Answer):
    """A page of accounts."""

    items: list[AccountOut]
    next: str | None


class AccountUpdate(Body):
    """How somebody wants to be shown."""

    name: Title


class PasswordChange(Body):
    """The password now, and the one from now on."""

    current: Password
    new: Password


class SessionOut(Answer):
    """Where somebody is signed in."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str
    is_current: bool


class Sessions(Answer):
    """Where somebody is signed in, last seen first."""

    items: list[SessionOut]
    next: None


class MyPermissions(Answer):
    """What the caller may do: at the instance, in the organisation and in the project that were asked for."""

    instance: list[str]
    organisation: list[str]
    project: list[str]


class PermissionOut(Answer):
    """A permission, and the level it is exercised at."""

    name: str
    level: Literal["instance", "organisation", "project"]


class PermissionList(Answer):
    """Every permission."""

    items: list[PermissionOut]
    next: None
