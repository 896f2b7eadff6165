"""``titledeed anchor``."""

from __future__ import annotations

import typer

from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION
from titledeed_cli.progress import show_progress

app = typer.Typer()


@add_command(
    app,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def anchor(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Put everything that waits on chain now.

    Waits until blocks include it. Also sees to transactions that no block holds yet. It may be
    repeated at any time.

    Examples:
        titledeed register folder/ --no-wait
        titledeed anchor
    """
    from titledeed.models.ledger import Anchored

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    invocation.unlock()
    with invocation.registry() as registry:
        before = registry.following.follow()
        with show_progress(output) as progress:
            registry.anchoring.anchor_now(progress)
        chain = registry.chain_report
        waiting = chain.count_waiting()
        batches = [
            (event, event.body)
            for event in chain.list_events(after=before.sequence, limit=100_000)
            if isinstance(event.body, Anchored) and event.body.caller == chain.sender
        ]
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "registrations": sum(found.size for _, found in batches),
                "waiting": waiting,
                "batches": [
                    {
                        "root": "0x" + found.root.hex(),
                        "size": found.size,
                        "block_number": event.block_number,
                        "transaction": "0x" + event.transaction.hex(),
                    }
                    for event, found in batches
                ],
            }
        )
        return
    for event, found in batches:
        output.write(
            f"anchored: {found.size} registration(s) in block {event.block_number}, "
            f"root 0x{found.root.hex()}"
        )
    if not batches:
        output.note("Nothing waited.")
