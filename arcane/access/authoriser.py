"""The one check of the product: every route's declaration ends here (arcane.kit.guard).

Who presents the credential and which place the path names are remembered in memory, so a request
with a known key or session is decided without Postgres. Changes are announced and forget what they
touch; what was missed while nobody listened is never answered from memory (arcane.access.memory).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import Request

from arcane.access.credentials import CredentialKind, Presented, SessionCookie, hash_of, presented
from arcane.access.csrf import SAFE_METHODS, check_origin, check_token
from arcane.access.lookups import Address, Lookups
from arcane.access.memory import Memory
from arcane.access.principals import NOTHING_HERE, KeyPrincipal, Place, Principal, SignedIn, UserPrincipal
from arcane.access.usage import Usage
from arcane.kit.actor import Actor
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.problems import NotAllowed, NotFound, NotSignedIn
from arcane.settings import Settings

TOPIC = "access"
"""Announced keys: `user:<id>`, `session:<id>` and `key:<id>` concern one principal; any other, everybody."""

_ACTORS_PER_PRINCIPAL = 256
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="arcane"'}

PathNames = tuple[str | None, str | None, str | None, str | None]


@dataclass(slots=True)
class Known:
    """A principal, and the actors it has been so far."""

    principal: Principal
    actors: dict[PathNames, Actor] = field(default_factory=dict)

    def is_meant(self, kind: str, id_: str) -> bool:
        """True when an announcement about `kind:id_` is about this principal."""
        principal = self.principal
        if isinstance(principal, UserPrincipal):
            session = principal.session
            return (kind == "user" and id_ == str(session.user_id)) or (
                kind == "session" and id_ == str(session.session_id)
            )
        return kind == "key" and id_ == str(principal.key_id)


class AccessAuthoriser:
    """Turns a request into an Actor (kit.guard.Authoriser). One a process, on `app.state.authoriser`."""

    def __init__(self, settings: Settings, database: Database, announcer: Announcer, usage: Usage) -> None:
        entries, max_age_s = settings.access.cache_entries, settings.access.cache_seconds
        self.cookie = SessionCookie.of(settings)
        self._public_url = settings.server.public_url
        self._lookups = Lookups(database)
        self._usage = usage
        self._principals: Memory[bytes, Known] = Memory(announcer, entries=entries, max_age_s=max_age_s)
        self._places: Memory[PathNames, Place] = Memory(announcer, entries=entries, max_age_s=max_age_s)
        announcer.subscribe(TOPIC, self._on_change)

    async def authorise(self, request: Request, permission: str | None) -> Actor:
        """Returns the actor at the place the path names.

        401 without a valid credential, 403 for a request another site made, 404 for a stranger,
        403 for somebody known who may not. A permission that no place is named for is the instance's.
        """
        known = await self._known(request)
        principal = known.principal
        if isinstance(principal, UserPrincipal):
            request.state.session = principal.session
            if request.method not in SAFE_METHODS:
                check_origin(request, self._public_url)
                await check_token(request, principal.session.csrf_token)
        else:
            request.state.api_key = principal
        names = _names(request)
        actor = known.actors.get(names)
        if actor is None:
            actor = await self._actor(known, names)
        if permission is not None:
            _check(actor, permission)
        self._usage.note(principal)
        return actor

    async def authorise_key(self, request: Request, permission: str) -> Actor:
        """Returns the actor in the project of the API key; 401 without a valid key, 403 for one that may not."""
        principal = (await self._known(request)).principal
        if not isinstance(principal, KeyPrincipal):
            raise NotSignedIn("this address takes the API key of a project", headers=_CHALLENGE)
        request.state.api_key = principal
        actor = principal.actor_in_project()
        _check(actor, permission)
        self._usage.note(principal)
        return actor

    def check_public(self, request: Request) -> None:
        """Returns when a request nobody needs to be signed in for does not come from another site."""
        if request.method not in SAFE_METHODS:
            check_origin(request, self._public_url)

    async def session_of(self, request: Request) -> SignedIn | None:
        """Returns whose browser this is, on public routes as well; None when nobody is signed in."""
        credential = presented(request, self.cookie.name)
        if credential is None or credential.kind is not CredentialKind.SESSION:
            return None
        known = await self._remembered(credential)
        return known.principal.session if known and isinstance(known.principal, UserPrincipal) else None

    async def actor_of(self, session: SignedIn, address: Address | None) -> Actor:
        """Returns the actor a signed-in user is at another place than the path's; 404 for a stranger."""
        principal = await self._lookups.principal_of(session)
        place = await self._lookups.place(address) if address is not None else None
        if address is not None and place is None:
            raise NotFound(NOTHING_HERE)
        return principal.actor_at(place)

    async def _known(self, request: Request) -> Known:
        credential = presented(request, self.cookie.name)
        known = await self._remembered(credential) if credential is not None else None
        if known is None:
            raise NotSignedIn("sign in, or send a valid API key", headers=_CHALLENGE)
        return known

    async def _remembered(self, credential: Presented) -> Known | None:
        async def load() -> Known | None:
            if credential.kind is CredentialKind.API_KEY:
                key = await self._lookups.api_key(credential.token)
                return None if key is None else Known(key)
            user = await self._lookups.session(credential.token)
            return None if user is None else Known(user)

        known = await self._principals.get_or_load(hash_of(credential.token), load)
        if known is None:
            return None
        expires_at = known.principal.expires_at
        return known if expires_at is None or expires_at > datetime.now(UTC) else None

    async def _actor(self, known: Known, names: PathNames) -> Actor:
        if names == (None, None, None, None):
            place = None
        else:
            place = await self._places.get_or_load(names, lambda: self._lookups.place(_address(names)))
            if place is None:
                raise NotFound(NOTHING_HERE)
        actor = known.principal.actor_at(place)
        if len(known.actors) < _ACTORS_PER_PRINCIPAL:
            known.actors[names] = actor
        return actor

    def forget_everything(self) -> None:
        """Whoever comes next is looked up again."""
        self._principals.forget()
        self._places.forget()

    def _on_change(self, key: str) -> None:
        kind, _, id_ = key.partition(":")
        if kind in ("user", "session", "key"):
            self._principals.forget(lambda known: known.is_meant(kind, id_))
        else:
            self.forget_everything()


def _check(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise NotAllowed("you do not have the permission for this", permission=permission)


def _names(request: Request) -> PathNames:
    path = request.path_params
    return path.get("organisation_id"), path.get("organisation"), path.get("project_id"), path.get("project")


def _address(names: PathNames) -> Address:
    organisation_id, organisation, project_id, project = names
    if project is not None and organisation is None and organisation_id is None:
        raise NotFound(NOTHING_HERE)
    return Address(_uuid(organisation_id), organisation, _uuid(project_id), project)


def _uuid(text: str | None) -> UUID | None:
    if text is None:
        return None
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFound(NOTHING_HERE) from None
