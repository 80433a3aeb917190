"""Where a Kafka is and how to come in: one URL, because one setting says which broker there is.

kafka://host:9092,other:9092/?partitions=12&replication=3
kafka+ssl://user:password@host:9093/?sasl=SCRAM-SHA-512&cafile=/etc/ssl/kafka.pem
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_OPTIONS = frozenset({"partitions", "replication", "sasl", "cafile"})


class BadAddress(ValueError):
    """The URL does not say where a broker is; the message says what is wrong, without the URL."""


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Servers, credentials, and how topics are made."""

    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    tls: bool = False
    mechanism: str = "PLAIN"
    cafile: str | None = None
    partitions: int = 12
    replication: int = 1

    @classmethod
    def of(cls, url: str) -> KafkaAddress:
        """Returns what `url` says. Raises BadAddress."""
        scheme, rest = url.split("://", 1) if "://" in url else ("", url)
        if scheme not in ("kafka", "kafka+ssl"):
            raise BadAddress("a Kafka's address begins with kafka:// or kafka+ssl://")
        parts = urlsplit(f"kafka://{rest}")
        credentials, _, hosts = parts.netloc.rpartition("@")
        servers = tuple(host if ":" in host else f"{host}:9092" for host in hosts.split(",") if host)
        if not servers:
            raise BadAddress("the address names no server: kafka://host:9092")
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if options.keys() - _OPTIONS:
            raise BadAddress(f"unknown option in the address; known are {', '.join(sorted(_OPTIONS))}")
        user, _, password = credentials.partition(":")
        mechanism = options.get("sasl", "PLAIN").upper()
        if mechanism not in _MECHANISMS:
            raise BadAddress(f"sasl is one of {', '.join(_MECHANISMS)}")
        return cls(
            servers,
            unquote(user) or None,
            unquote(password) or None,
            tls=scheme == "kafka+ssl",
            mechanism=mechanism,
            cafile=options.get("cafile"),
            partitions=_count("partitions", options.get("partitions", "12")),
            replication=_count("replication", options.get("replication", "1")),
        )

    def client_options(self) -> dict[str, Any]:
        """Returns what every client of aiokafka is made with."""
        protocol = f"{'SASL_' if self.user else ''}{'SSL' if self.tls else 'PLAINTEXT'}"
        options: dict[str, Any] = {"bootstrap_servers": list(self.servers), "security_protocol": protocol}
        if self.tls:
            options["ssl_context"] = ssl.create_default_context(cafile=self.cafile)
        if self.user:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password or "",
            }
        return options


def _count(name: str, text: str) -> int:
    if not text.isdigit() or not int(text):
        raise BadAddress(f"{name} is a whole number from 1")
    return int(text)
