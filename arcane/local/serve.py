"""The backend as a program of its own: `python -m arcane.local.serve`, which `arcane serve` and `arcane up` start.

It holds what answers requests and nothing of the command line: no parser of commands, no client, no demo.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import anyio

import arcane.kit.lasting  # noqa: F401 - first, so that little is looked at while the rest is imported
from arcane.kit.spared import without

with without("rich", "regex"):  # structlog and lark would take them, for what nobody here asks them for
    from arcane.kit.logging import configure_logging
    from arcane.kit.migrate import app_url
    from arcane.kit.secrets import KeyRing
    from arcane.kit.serving import listen
    from arcane.kit.serving import serve as serve_application
    from arcane.local.faults import MENDABLE, one_line
    from arcane.main import create_app
    from arcane.settings import Settings


def serve(arguments: argparse.Namespace) -> None:
    """Serves until the process is told to end; raises what can be told in one line before it begins."""
    settings = Settings()
    configure_logging(settings.log.level, json_lines=settings.log.json_lines)
    KeyRing.of(settings.secrets)
    app_url(settings)
    port = settings.server.port if arguments.port is None else arguments.port
    bound = listen(arguments.host or settings.server.host, port)
    anyio.run(
        lambda: serve_application(create_app(settings), bound, supervised=arguments.supervised),
        backend_options={"use_uvloop": True},
    )


def main(given: Sequence[str] | None = None) -> int:
    """Returns the exit code; what a user can mend is told in one line."""
    parser = argparse.ArgumentParser(prog="arcane serve", description="Serves the API and the pages.")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--supervised", action="store_true")
    try:
        serve(parser.parse_args(given))
    except KeyboardInterrupt:
        return 130
    except (*MENDABLE, BaseExceptionGroup) as exc:
        line = one_line(exc)
        if line is None:
            raise
        sys.stderr.write(f"arcane: {line}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
