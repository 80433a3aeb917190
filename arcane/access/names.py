"""Names people give: e-mail addresses, titles, and slugs made of them."""

from __future__ import annotations

import re
import secrets
import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, StringConstraints

_SLUG_LENGTH = 48
_LONGEST_EMAIL = 254
_BELOW = ".example"


def normal_email(text: str) -> str:
    """Returns the address as it is stored and compared; raises ValueError.

    Nothing is looked up, and names that only exist inside a network (`.local`, `.test`) are fine: the
    library refuses them at the end of a domain only, so they are looked at below `.example`.
    """
    try:
        checked = validate_email(text.strip() + _BELOW, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise ValueError("not an e-mail address") from None
    return checked.normalized.removesuffix(_BELOW).lower()


def _no_control(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("control characters are not allowed")
    return text


Email = Annotated[str, StringConstraints(max_length=_LONGEST_EMAIL), AfterValidator(normal_email)]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_no_control)
]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$")]


def slug_of(title: str) -> str:
    """Returns a slug made of `title`; never empty."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_SLUG_LENGTH].strip("-")
    return slug or f"x-{secrets.token_hex(3)}"


def another_slug(slug: str) -> str:
    """Returns a slug like `slug` that is most likely free."""
    return f"{slug[: _SLUG_LENGTH - 7].strip('-')}-{secrets.token_hex(3)}"
