"""ClickHouse's HTTP interface over the engine in process: what the clickhouse adapter is tested against.

`python -m tests.support.clickhouse_server FOLDER` prints its port and serves until it is terminated. It does what a
server does with parameters, settings, users and errors; it has no other protocol, does not stream, and a client
that goes away does not end its query. Each request runs on a connection of its own, so nothing that one
sets is there for the next.

Users and their passwords: `default` without one, `reader` (its profile is readonly=1), `careful` (readonly=2).
"""

from __future__ import annotations

import base64
import email
import json
import re
import signal
import sys
import threading
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import chdb

USERS = {"default": ("", 0), "reader": ("secret", 1), "careful": ("secret", 2)}
_TRANSPORT = frozenset(
    {
        "query",
        "database",
        "default_format",
        "user",
        "password",
        "query_id",
        "enable_http_compression",
        "wait_end_of_query",
    }
)
_STATUS = {
    **dict.fromkeys((192, 193, 194, 497, 516), 403),
    **dict.fromkeys((16, 46, 47, 60, 81, 115), 404),
    **dict.fromkeys((159, 160), 408),
    **dict.fromkeys((27, 36, 38, 41, 43, 53, 62, 70, 72, 117, 164, 452, 456, 457), 400),
    202: 503,
}
_CODE = re.compile(r"Code: (\d+)")


class Refused(Exception):
    """What a server says instead of an answer, with its code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text}")


def literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    engine: str

    def do_POST(self) -> None:
        """Runs one statement."""
        given = self._given()
        try:
            readonly = self._user(given)
            payload = self._run(given, readonly)
            self._reply(200, payload, {"X-ClickHouse-Format": given.get("default_format", "TabSeparated")})
        except (Refused, RuntimeError, ValueError) as exc:
            text = str(exc)
            text = text[text.index("Code: ") :] if "Code: " in text else f"Code: 1002. DB::Exception: {text}"
            found = _CODE.search(text)
            code = int(found[1]) if found else 1002
            headers = {"X-ClickHouse-Exception-Code": str(code)}
            self._reply(_STATUS.get(code, 500), f"{text.strip()} (version 26.9)\n".encode(), headers)

    do_GET = do_POST

    def _given(self) -> dict[str, str]:
        """Returns the parameters of the request, those of a form included; the statement is `query`."""
        url = urllib.parse.urlsplit(self.path)
        given = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("multipart/form-data"):
            form = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
            for part in form.get_payload():
                name = str(part.get_param("name", header="content-disposition"))
                given[name] = part.get_payload(decode=True).decode()
        else:
            given["query"] = given.get("query", "") + body.decode()
        return given

    def _user(self, given: Mapping[str, str]) -> int:
        """Returns how read-only the user's profile is."""
        name, password = given.get("user", "default"), given.get("password", "")
        basic = self.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            name, _, password = base64.b64decode(basic[6:]).decode().partition(":")
        if name not in USERS or USERS[name][0] != password:
            raise Refused(516, f"{name}: Authentication failed. (AUTHENTICATION_FAILED)")
        return USERS[name][1]

    def _run(self, given: Mapping[str, str], readonly: int) -> bytes:
        settings = {k: v for k, v in given.items() if k not in _TRANSPORT and not k.startswith("param_")}
        if settings and (readonly == 1 or (readonly == 2 and "readonly" in settings)):
            raise Refused(164, f"Cannot modify '{next(iter(settings))}' setting in readonly mode. (READONLY)")
        connection = chdb.connect(self.engine)
        try:
            if given.get("database"):
                connection.query(f"USE `{given['database'].replace('`', '')}`")
            wanted = int(settings.pop("readonly", "0")) or readonly
            for name, value in settings.items():
                if not re.fullmatch(r"\w+", name):
                    raise Refused(115, f"Unknown setting '{name}'. (UNKNOWN_SETTING)")
                connection.query(f"SET {name} = {literal(value)}")
            if wanted or self.command == "GET":
                connection.query(f"SET readonly = {wanted or 2}")
            parameters = {k.removeprefix("param_"): v for k, v in given.items() if k.startswith("param_")}
            answer = connection.query(given["query"], given.get("default_format", "TabSeparated"), params=parameters)
            return bytes(answer.bytes() or b"")
        finally:
            connection.close()

    def _reply(self, status: int, payload: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(payload)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main(folder: str) -> None:
    engine = str(Path(folder).absolute())
    held = chdb.connect(engine)  # keeps the engine open between requests
    Handler.engine = engine
    server = Server(("127.0.0.1", 0), Handler)
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(json.dumps({"port": server.server_address[1]}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()
    held.close()


if __name__ == "__main__":
    main(sys.argv[1])
