"""Postgres refuses to run as root. Where `make up` is root, the server runs as `nobody`.

A root user's projects often lie below a folder that nobody else may enter (`/root`). Instead of
opening that folder to everyone, the server's process then keeps one privilege: to pass closed doors
(CAP_DAC_OVERRIDE, as an ambient capability).
"""

from __future__ import annotations

import ctypes
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 0b100  # changing the user leaves capabilities alone, and access(2) counts them
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522
_ENTER = 0o001


def as_user(*reached: Path) -> dict[str, Any]:
    """Returns the `subprocess` arguments under which a server starts that has to reach the paths in `reached`."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    if all(map(_open_to_everyone, reached)):
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return {"preexec_fn": _become(nobody.pw_uid, nobody.pw_gid)}


def hand_over(folder: Path) -> None:
    """The user that the server runs as owns `folder` and what lies directly in it."""
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (folder, *folder.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _open_to_everyone(path: Path) -> bool:
    return all(parent.stat().st_mode & _ENTER for parent in path.resolve().parents)


def _become(user: int, group: int) -> Callable[[], None]:
    """Returns what the child does before it becomes the server; everything is looked up before the fork."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    wanted = 1 << _CAP_DAC_OVERRIDE
    sets = (ctypes.c_uint32 * 6)(wanted, wanted, wanted, 0, 0, 0)  # effective, permitted, inheritable; low, high

    def become() -> None:
        libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
        if libc.capset(header, sets) == 0:  # all others are given up here
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)

    return become
