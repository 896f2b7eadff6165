"""``titledeed chain``: the chain that this home anchors on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed_cli.confirmation import YesFlag, confirm
from titledeed_cli.events import describe_event, event_document
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION, Output
from titledeed_cli.progress import show_progress

if TYPE_CHECKING:
    from titledeed.services.chain_report import ChainStatus

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="chain", help="Ask about the chain, deploy to it, check it, serve it.")

_CHAIN_EXITS = (ExitCode.OK, ExitCode.LEDGER_UNAVAILABLE)


@add_command(group, exits=_CHAIN_EXITS)
def status(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Tell which chain is pinned and what is under way.

    The chain must answer.

    Examples:
        titledeed chain status
    """
    invocation = get_invocation(context, as_json=as_json)
    with invocation.registry() as registry:
        found = registry.chain_report.status()
    if as_json:
        invocation.output.write_json(_status_document(found))
    else:
        _write_status(invocation.output, found)


@add_command(group, exits=_CHAIN_EXITS)
def deploy(
    context: typer.Context,
    token_uri_base: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Stands before the number of each deed in its token URI, for ever. The contract "
            "then gets another address than the standard one.",
        ),
    ] = "",
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Put the contract on the chain that TITLEDEED_CHAIN__RPC_URL names.

    The sender's key pays; `titledeed keys new --name sender` makes it before there is a home. Where
    the contract stands already nothing is spent. Writes a file with everything that Sourcify or
    Blockscout need to verify it.

    Examples:
        TITLEDEED_CHAIN__RPC_URL=https://rpc.example titledeed chain deploy
    """
    from titledeed.bootstrap.homes import deploy as deploy_contract

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    confirm(output, "Deploy the contract, paid by the sender's key?", yes=yes)
    invocation.unlock()
    deployment, path = deploy_contract(invocation.settings, token_uri_base=token_uri_base)
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "chain_id": deployment.chain_id,
                "contract": deployment.contract,
                "is_standard": deployment.is_standard,
                "block_number": deployment.block_number,
                "path": str(path),
            }
        )
        return
    output.write(f"contract    {deployment.contract} on chain {deployment.chain_id}")
    output.write(f"verify with {path}")
    if not deployment.is_standard:
        output.note(f"Set TITLEDEED_CHAIN__CONTRACT={deployment.contract} for `titledeed init`.")


@add_command(group, exits=_CHAIN_EXITS)
def verify(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Check that no event of the contract is missing.

    Reads every event again. Compares the chain with what this home pinned, each event with the
    running hash that it carries, the last with what the contract itself says, and all with the
    database.

    Examples:
        titledeed chain verify
    """
    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry, show_progress(output) as progress:
        found = registry.chain_report.verify(progress)
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                **_identity_document(found.identity),
                "holds": True,
                "block_number": found.block.number,
                "block_hash": "0x" + found.block.hash.hex(),
                "events": found.sequence,
                "running_hash": "0x" + found.running_hash.hex(),
            }
        )
        return
    output.write(
        f"All {found.sequence} event(s) up to block {found.block.number} are there and fit.",
        style="bold green",
    )
    output.write(f"running hash 0x{found.running_hash.hex()}")


@add_command(group, exits=_CHAIN_EXITS)
def events(
    context: typer.Context,
    after: Annotated[
        int, typer.Option(metavar="N", help="Only events after this number.", min=0)
    ] = 0,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100_000)] = 100,
    as_json: JsonFlag = False,
) -> None:
    """Show the contract's events, everybody's, in their order.

    With --json each is an object on a line of its own. Anybody may write anything: what counts for
    a registration is told by `titledeed registration history`.

    Examples:
        titledeed chain events --after 100 --limit 20
        titledeed chain events --json
    """
    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry:
        registry.following.follow()
        found = registry.chain_report.list_events(after=after, limit=limit)
    if as_json:
        for event in found:
            output.write_json({"schema_version": SCHEMA_VERSION, **event_document(event)})
        return
    output.write_table(
        ("number", "block", "time", "event", "what"), [describe_event(event) for event in found]
    )
    if not found:
        output.note("There are no events.")


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


def _identity_document(identity: ChainIdentity) -> dict[str, object]:
    return {
        "kind": identity.kind.value,
        "chain_id": identity.chain_id,
        "genesis_hash": "0x" + identity.genesis_hash.hex(),
        "contract": identity.contract,
        "time": identity.kind.time_code.value,
    }


def _status_document(found: ChainStatus) -> dict[str, object]:
    cursor = found.cursor
    return {
        "schema_version": SCHEMA_VERSION,
        **_identity_document(found.identity),
        "answers": True,
        "head": {"number": found.head.number, "hash": "0x" + found.head.hash.hex()},
        "followed": cursor
        and {"number": cursor.block.number, "hash": "0x" + cursor.block.hash.hex()},
        "lag": found.lag,
        "events": cursor.sequence if cursor else 0,
        "confirmations": {
            "safe": found.confirmations.safe,
            "final": found.confirmations.final,
        },
        "waiting": found.waiting,
        "pending": [
            {
                "label": call.label,
                "nonce": call.nonce,
                "attempts": len(call.attempts),
                "transaction": "0x" + call.attempts[-1].hash.hex(),
                "sent_at": call.sent_at,
            }
            for call in found.pending
        ],
        "sender": found.sender,
    }


def _write_status(output: Output, found: ChainStatus) -> None:
    from titledeed.proofs.times import format_time

    identity, cursor = found.identity, found.cursor
    output.write(f"chain       {identity.chain_id} ({identity.kind}), it answers")
    output.write(f"genesis     0x{identity.genesis_hash.hex()}")
    output.write(f"contract    {identity.contract}")
    output.write(f"sender      {found.sender}")
    output.write(f"head        block {found.head.number} of {format_time(found.head.timestamp)}")
    output.write(
        f"followed    to block {cursor.block.number}, {found.lag} behind"
        if cursor
        else "followed    -"
    )
    output.write(f"events      {cursor.sequence if cursor else 0}")
    output.write(
        f"safe after  {found.confirmations.safe} block(s), final after {found.confirmations.final}"
    )
    output.write(f"waiting     {found.waiting} registration(s)")
    output.write_table(
        ("under way", "nonce", "sent", "times", "transaction"),
        [
            (
                call.label,
                str(call.nonce),
                format_time(call.sent_at),
                str(len(call.attempts)),
                "0x" + call.attempts[-1].hash.hex(),
            )
            for call in found.pending
        ],
    )
    if identity.kind is ChainKind.DEVELOPMENT:
        output.write("Its time is made by this home itself and proves order inside this home only.")
