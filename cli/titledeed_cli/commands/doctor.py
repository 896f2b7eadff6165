"""``titledeed doctor``."""

from __future__ import annotations

from dataclasses import asdict

import typer

from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION

app = typer.Typer()


@add_command(app, exits=(ExitCode.OK,))
def doctor(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Tell what is installed, what is missing, and how to get it.

    Ends with 1 if something is missing that registering and verifying need.

    Examples:
        titledeed doctor
        titledeed doctor --json
    """
    from titledeed.homes.diagnosis import BASIC_USE, diagnose

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    found = diagnose(invocation.settings.home_path)
    is_usable = all(item.ok for item in found if item.needed_for in BASIC_USE)
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "usable": is_usable,
                "checks": [asdict(item) for item in found],
            }
        )
    else:
        output.write_table(
            ("what", "", "needed for", "found", "how to get it"),
            [
                (i.name, "ok" if i.ok else "missing", i.needed_for, i.found, i.next_step)
                for i in found
            ],
        )
    if not is_usable:
        raise typer.Exit(ExitCode.ERROR)
