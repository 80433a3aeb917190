"""What stops an instance on one machine.

LocalError        the message is one line that says what to do
└── PostgresError the embedded server cannot run
"""

from __future__ import annotations


class LocalError(Exception):
    """This machine's instance cannot run; the message is one line that says what to do."""


class PostgresError(LocalError):
    """The embedded server cannot run; the message is one line that says what to do."""
