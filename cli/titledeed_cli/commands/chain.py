"""``titledeed chain``: the chain that this home anchors on."""

from __future__ import annotations

from typing import Annotated

import typer

from titledeed.models.evidence import ChainKind
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="chain", help="Ask about the chain, or serve the development chain.")


@add_command(
    group,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def status(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Tell which chain this home has pinned, and whether it answers.

    Examples:
        titledeed chain status
    """
    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry:
        identity = registry.chain_identity
        registry.anchoring.require_ledger()
    is_own = identity.kind is ChainKind.DEVELOPMENT
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "kind": identity.kind.value,
                "chain_id": identity.chain_id,
                "genesis_hash": "0x" + identity.genesis_hash.hex(),
                "contract": identity.contract,
                "time": "self_kept" if is_own else "public_chain",
                "answers": True,
            }
        )
        return
    output.write(f"chain       {identity.chain_id} ({identity.kind}), it answers")
    output.write(f"genesis     0x{identity.genesis_hash.hex()}")
    output.write(f"contract    {identity.contract}")
    if is_own:
        output.write("Its time is made by this home itself and proves order inside this home only.")


@add_command(group, exits=(ExitCode.OK,))
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 picks one.", min=0, max=65_535)] = 8_545,
) -> None:
    """Offer an Ethereum RPC of the development chain, until interrupted.

    What it forwards is written to the journal first, so that nothing sent through it is lost.

    Examples:
        titledeed chain serve --port 8545
    """
    invocation = get_invocation(context)
    output = invocation.output

    def announce(url: str) -> None:
        output.note(f"The development chain answers at {url} (Ctrl-C stops it).")

    with invocation.registry() as registry:
        registry.serve_chain(host, port, announce)
