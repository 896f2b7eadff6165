"""``titledeed backup`` and ``titledeed restore``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import Invocation, JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION
from titledeed_cli.progress import show_progress

if TYPE_CHECKING:
    from titledeed.homes.backup import BackupSummary

app = typer.Typer()


@add_command(app, exits=(ExitCode.OK,))
def backup(
    context: typer.Context,
    destination: Annotated[
        Path,
        typer.Argument(metavar="DEST", help="A new .tar or .tar.gz file.", show_default=False),
    ],
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave keystores and signing identity out.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write everything that this home holds to one file.

    The home may be in use meanwhile. The passphrase is never in it: keep that elsewhere, for
    without it nobody opens the keys. Signed copies that you had put elsewhere with --output are not
    in it either.

    Examples:
        titledeed backup /mnt/disk/titledeed.tar
        titledeed backup titledeed.tar.gz --without-keys
    """
    from titledeed.bootstrap.homes import back_up

    invocation = get_invocation(context, as_json=as_json)
    with show_progress(invocation.output) as progress:
        summary = back_up(
            invocation.settings, destination, with_keys=not without_keys, progress=progress
        )
    _write(invocation, "path", destination, summary)
    if summary.with_keys:
        invocation.output.note("The passphrase is not in it: keep a copy of that elsewhere.")


@add_command(
    app,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", show_default=False)],
    home: Annotated[Path, typer.Option("--home", help="A new folder for it.", show_default=False)],
    as_json: JsonFlag = False,
) -> None:
    """Unpack a backup into a new home, once all of it was checked.

    Then the database and the chain are tried. Give the passphrase as before: in
    TITLEDEED_PASSPHRASE_FILE, or as the file `passphrase` in the new home.

    Examples:
        titledeed restore /mnt/disk/titledeed.tar --home ~/titledeed-restored
    """
    from titledeed.bootstrap.homes import check_home
    from titledeed.bootstrap.homes import restore as restore_home

    invocation = get_invocation(context, as_json=as_json)
    with show_progress(invocation.output) as progress:
        summary = restore_home(source, home, progress)
    _write(invocation, "home", home, summary)
    if summary.with_keys:
        check_home(invocation.settings, home)
        invocation.output.note("Database and chain answer.")
    else:
        invocation.output.note(f"Put the keys back into {home / 'keys'} before you use it.")


def _write(invocation: Invocation, where: str, path: Path, summary: BackupSummary) -> None:
    if invocation.output.as_json:
        invocation.output.write_json(
            {"schema_version": SCHEMA_VERSION, where: str(path), **asdict(summary)}
        )
    else:
        invocation.output.write(f"{path}: {summary.members} file(s), {summary.size_bytes:,} bytes")
