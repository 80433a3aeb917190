"""The instance owner's pages: every user, and who else is an owner."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import status as http

from arcane.access.permissions import ALL
from arcane.access.routes.given import PasswordLinks, Users
from arcane.access.schemas.accounts import AccountOut, Accounts, PasswordLinkOut
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.lists import Paging

router = APIRouter(tags=["instance"])

Owner = Annotated[Actor, requires(ALL)]
Search = Annotated[str | None, Query(max_length=200, description="Part of a name or an address.")]


@router.get("/users")
async def list_users(users: Users, owner: Owner, paging: Paging, search: Search = None) -> Accounts:
    """Lists everybody who can sign in."""
    page = await users.page(owner, paging, search)
    return Accounts(items=[AccountOut.model_validate(user) for user in page.items], next=page.next)


@router.delete("/users/{user_id}", status_code=http.HTTP_204_NO_CONTENT)
async def remove_user(user_id: UUID, users: Users, owner: Owner) -> None:
    """Removes an account, its memberships and its sessions."""
    await users.remove(owner, user_id)


@router.post("/users/{user_id}/password-link", status_code=http.HTTP_201_CREATED)
async def issue_password_link(user_id: UUID, links: PasswordLinks, owner: Owner) -> PasswordLinkOut:
    """Makes a one-time link by which the account gets a new password; hand it over, it is shown once."""
    issued = await links.issue(owner, user_id)
    return PasswordLinkOut(link=issued.link, expires_at=issued.expires_at)


@router.put("/users/{user_id}/owner")
async def make_owner(user_id: UUID, users: Users, owner: Owner) -> AccountOut:
    """Makes a user an owner of the instance."""
    return AccountOut.model_validate(await users.make_owner(owner, user_id))


@router.delete("/users/{user_id}/owner")
async def unmake_owner(user_id: UUID, users: Users, owner: Owner) -> AccountOut:
    """Takes ownership away; the last owner stays."""
    return AccountOut.model_validate(await users.unmake_owner(owner, user_id))
