"""``titledeed init``."""

from __future__ import annotations

from typing import Annotated

import typer

from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION

app = typer.Typer()


@add_command(
    app,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def init(
    context: typer.Context,
    organization: Annotated[
        str, typer.Option(help="Named in the signing certificate; readers of your files see it.")
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Make a home: keys, certificate, chain, database.

    The claimant's key signs your claims; the sender's key pays for transactions and claims
    nothing; the recovery key may declare the claimant's key lost. Keys that are there already are
    used. Without TITLEDEED_PASSPHRASE or TITLEDEED_PASSPHRASE_FILE a passphrase is generated
    and written into the home folder. Running it again changes nothing.

    Examples:
        titledeed init --organization "Example Studio"
        TITLEDEED_PASSPHRASE_FILE=~/secret titledeed --home /srv/titledeed init
    """
    from titledeed.bootstrap.homes import initialize_home

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    output.note("Making keys, a signing certificate and a chain; this takes some seconds.")
    home = initialize_home(invocation.settings, organization=organization)
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "created": home.created,
                "home": str(home.home),
                "claimant": home.claimant,
                "sender": home.sender,
                "recovery": home.recovery,
                "chain": {
                    "kind": home.chain.kind.value,
                    "chain_id": home.chain.chain_id,
                    "contract": home.chain.contract,
                    "genesis_hash": "0x" + home.chain.genesis_hash.hex(),
                },
                "passphrase_file": str(home.passphrase_file) if home.passphrase_file else None,
                "token": home.token or None,
            }
        )
    else:
        output.write(f"home        {home.home}")
        output.write(f"claimant    {home.claimant}")
        output.write(f"recovery    {home.recovery}")
        output.write(f"chain       {home.chain.chain_id}, contract {home.chain.contract}")
        if home.token:
            output.write(f"API token   {home.token}")
    if not home.created:
        output.note("This home existed already; nothing was changed.")
        return
    output.note("The API token is shown this once; `titledeed serve --new-token` makes another.")
    output.note(
        f"Move {home.home / 'keys' / 'recovery.json'} to another place: if the claimant's key is "
        "lost or stolen, it alone can tell readers so."
    )
    if home.passphrase_file:
        output.note(
            f"A passphrase was generated and written to {home.passphrase_file} (mode 0600). Back "
            "up the home folder and keep the passphrase elsewhere: without both, the claimant's "
            "key is lost and nobody can replace it."
        )
