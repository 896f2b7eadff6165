"""``titledeed receipt``."""

from __future__ import annotations

from typing import Annotated

import typer

from titledeed.models.primitives import RegistrationId
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.progress import show_progress
from titledeed_cli.registrations import write_registered

app = typer.Typer()


@add_command(
    app,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def receipt(
    context: typer.Context,
    registration: Annotated[
        str, typer.Argument(metavar="ID", help="A registration id.", show_default=False)
    ],
    as_json: JsonFlag = False,
) -> None:
    """Complete a registration that did not wait for its block.

    Waits until a block includes the claim and writes the evidence bundle. Prints what
    `titledeed register` prints. It may be repeated at any time.

    Examples:
        titledeed register clip.mp4 --no-wait
        titledeed receipt td1abc...
    """
    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    invocation.unlock()
    with invocation.registry() as registry:
        with show_progress(output) as progress:
            completed = registry.registration.complete(
                RegistrationId(registration), registry.owner, progress
            )
        write_registered(output, completed, registry.chain_identity)
