"""``titledeed erase``."""

from __future__ import annotations

from typing import Annotated

import typer

from titledeed.models.primitives import RegistrationId
from titledeed_cli.confirmation import YesFlag, confirm
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION

app = typer.Typer()


@add_command(app, exits=(ExitCode.OK,))
def erase(
    context: typer.Context,
    registration: Annotated[
        str, typer.Argument(metavar="ID", help="A registration id.", show_default=False)
    ],
    keep_signed_copy: Annotated[
        bool, typer.Option("--keep-signed-copy", help="Leave the signed copy where it is.")
    ] = False,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Erase a registration for good.

    Record, salts, bundle, picture and signed copy are deleted. What is left is a tombstone: the id,
    and the leaf on chain, which nobody can open any more. You cannot prove this registration
    afterwards. Others of the same batch still can be proven. Bundles and backups that you gave away
    are not reached. If it was interrupted, run it again.

    Examples:
        titledeed erase td1abc...
        titledeed erase td1abc... --keep-signed-copy --yes
    """
    from titledeed.bootstrap.homes import erase as erase_registration

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    confirm(output, f"Erase {registration} for good?", yes=yes)
    erased = erase_registration(
        invocation.settings, RegistrationId(registration), keep_signed_copy=keep_signed_copy
    )
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "registration_id": erased.tombstone.registration_id,
                "leaf": "0x" + erased.tombstone.leaf.hex(),
                "erased_at": erased.tombstone.erased_at,
                "signed_path": erased.signed_path,
                "signed_copy_kept": erased.kept_signed_copy,
            }
        )
        return
    output.write(f"erased: {registration}")
    if erased.signed_path:
        what = "is left at" if erased.kept_signed_copy else "was deleted from"
        output.write(f"The signed copy {what} {erased.signed_path}")
    output.note("Backups that hold it are not reached: make a new one and delete them.")
