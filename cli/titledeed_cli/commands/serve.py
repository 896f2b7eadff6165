"""``titledeed serve``."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated, Final

import typer

from titledeed.errors import ConfigurationError
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import get_invocation

if TYPE_CHECKING:
    from titledeed.settings import Settings
    from titledeed_cli.output import Output

app = typer.Typer()

BACKLOG: Final = 128


@add_command(
    app,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def serve(
    context: typer.Context,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; else TITLEDEED_API__HOST.", show_default=False),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port, 0 picks one; else TITLEDEED_API__PORT.",
            min=0,
            max=65_535,
            show_default=False,
        ),
    ] = None,
    new_token: Annotated[
        bool, typer.Option("--new-token", help="Print another API token before serving.")
    ] = False,
) -> None:
    """Serve the HTTP API and the web pages, until interrupted.

    Listens on 127.0.0.1:8765 unless told otherwise. Without a token a caller sees published
    registrations only.

    Examples:
        titledeed serve
        titledeed serve --port 9000 --new-token
    """
    invocation = get_invocation(context)
    invocation.unlock()
    settings = invocation.settings
    # A folder that is no home fails here, in one line, and not inside the server.
    with invocation.registry() as registry:
        if new_token:
            invocation.output.write(registry.access.issue_token())
    listener = _listen(host or settings.api.host, settings.api.port if port is None else port)
    with listener:
        _run(listener, settings, invocation.output)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # From here on callers wait instead of being refused while the server starts.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            next_step="Choose another --port, or stop what listens there.",
        ) from error
    return listener


def _run(listener: socket.socket, settings: Settings, output: Output) -> None:
    import uvicorn

    from titledeed_api.app import create_app

    host, port = listener.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    output.note(f"Titledeed serves http://{name}:{port} (Ctrl-C stops it).")
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning"))
    server.run(sockets=[listener])
    if not server.started:
        raise ConfigurationError("the server did not start", next_step="Its log says why.")
