"""The `titledeed` command: global options, and the one place where errors become exit codes."""

from __future__ import annotations

import io
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from titledeed.errors import StorageError, TitledeedError
from titledeed_cli.commands import (
    anchor,
    audit,
    backup,
    bundle,
    chain,
    config,
    doctor,
    erase,
    fingerprint,
    index,
    init,
    keys,
    publish,
    receipt,
    register,
    registration,
    serve,
    snapshot,
    verify,
)
from titledeed_cli.exit_codes import ERROR_CODES, ExitCode
from titledeed_cli.help_text import keep_examples, list_exits
from titledeed_cli.invocation import Invocation
from titledeed_cli.output import Output


class ErrorReportingGroup(TyperGroup):
    """Turns the core's errors into two lines and an exit code, for every command."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except TitledeedError as error:
            _output_of(ctx).report(error)
            raise typer.Exit(ERROR_CODES[type(error)]) from error
        except BrokenPipeError:
            # Who reads the results has seen enough; Typer ends quietly.
            raise
        except OSError as error:
            where = error.filename or "standard output"
            _output_of(ctx).report(
                StorageError(
                    f"{where}: {error.strerror}",
                    next_step="Check its permissions and free space.",
                    path=Path(error.filename) if error.filename else None,
                )
            )
            raise typer.Exit(ExitCode.ERROR) from error
        except KeyboardInterrupt as error:
            _output_of(ctx).report_problem("interrupted", "Nothing that was accepted is lost.")
            raise typer.Exit(ExitCode.INTERRUPTED) from error


HELP: Final = """\
A registry for generated media: it records claims and their order in time.

It fingerprints a picture, a clip or a sound, signs it with C2PA Content Credentials and
records the claim on an Ethereum chain. Later it tells, for any copy or clip of it, who
claimed it and when. It never tells who is right.

Examples:
    titledeed init
    titledeed register clip.mp4
    titledeed verify downloaded.mp4
    titledeed audit submission/\
"""

app = typer.Typer(
    cls=ErrorReportingGroup,
    no_args_is_help=True,
    # A traceback of ours must never print the values of local variables: some are secrets.
    pretty_exceptions_enable=False,
    # Plain help comes in half the time of the boxed one, and can be copied.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for module in (
    init,
    register,
    registration,
    receipt,
    verify,
    fingerprint,
    audit,
    bundle,
    snapshot,
    publish,
    erase,
    anchor,
    chain,
    keys,
    index,
    backup,
    serve,
    doctor,
    config,
):
    app.add_typer(module.app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"titledeed {version('titledeed')}")
        raise typer.Exit


@app.callback(help=keep_examples(HELP), epilog=list_exits(*ExitCode))
def titledeed(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            help="The folder that holds everything; else TITLEDEED_HOME, else ~/.titledeed.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only results and errors, no progress.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and leave."
        ),
    ] = False,
) -> None:
    """Prepare what every command shares."""
    context.obj = Invocation(home=home, quiet=quiet, no_color=no_color)


def main() -> None:
    """Run the command line; the entry point of the installed program."""
    # Stopped by a supervisor or by Ctrl-C: child processes are released either way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="titledeed")


def _output_of(context: typer.Context) -> Output:
    invocation = context.find_object(Invocation) or Invocation()
    return invocation.output


if __name__ == "__main__":
    main()
