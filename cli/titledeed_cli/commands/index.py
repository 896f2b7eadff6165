"""``titledeed index``: what object store, chain and media can make anew."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION
from titledeed_cli.progress import show_progress

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="index", help="Rebuild the database, or fingerprint works anew.")


@add_command(
    group,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def rebuild(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Make the database anew.

    It comes from the objects that were kept and from what the chain tells. Stop `titledeed serve`
    first. The old database stays until the new one is whole, so it may be interrupted and run
    again. What is missing or damaged is listed, and then it ends with 1; all the rest is there. API
    tokens are not brought back: `titledeed serve --new-token` makes one.

    Examples:
        titledeed index rebuild
        titledeed index rebuild --json
    """
    from titledeed.bootstrap.homes import rebuild_index

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with show_progress(output) as progress:
        rebuilt = rebuild_index(invocation.settings, progress)
    if as_json:
        output.write_json({"schema_version": SCHEMA_VERSION, **asdict(rebuilt)})
    else:
        output.write(
            f"{rebuilt.registrations} registration(s), {rebuilt.imported} imported, "
            f"{rebuilt.erased} erased; {rebuilt.batches} batch(es), {rebuilt.events} event(s) up "
            f"to block {rebuilt.block}"
        )
        output.write_table(
            ("object", "problem", "what"),
            [(found.key, found.problem, found.detail) for found in rebuilt.findings],
        )
    if rebuilt.findings:
        output.report_problem(
            f"{len(rebuilt.findings)} object(s) are missing or damaged",
            "Restore them from a backup, then rebuild again.",
        )
        raise typer.Exit(ExitCode.ERROR)


@add_command(group, exits=(ExitCode.OK,))
def reindex(
    context: typer.Context,
    media: Annotated[
        Path | None,
        typer.Option(
            help="A folder with registered files of which there is no signed copy.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Fingerprint registered works anew.

    For works that were registered before a release brought new algorithms. The codes that a claim
    binds stay; new ones are kept beside them. It reads the signed copies that this home made. It
    may be interrupted and run again: works that are done are passed over. What has no file at hand
    is listed, and then it ends with 1; all the rest is done.

    Examples:
        titledeed index reindex
        titledeed index reindex --media originals/ --json
    """
    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry, show_progress(output) as progress:
        done = registry.reindexing.reindex(media, progress)
    if as_json:
        output.write_json({"schema_version": SCHEMA_VERSION, **asdict(done)})
    else:
        output.write(f"{done.fingerprinted} fingerprinted anew, {done.current} had all codes")
        output.write_table(
            ("title", "why not", "registration"),
            [(left.title, left.reason, left.registration_id) for left in done.left_out],
        )
    if done.left_out:
        output.report_problem(
            f"{len(done.left_out)} work(s) could not be fingerprinted anew",
            "Name the folder that holds their files with --media.",
        )
        raise typer.Exit(ExitCode.ERROR)
