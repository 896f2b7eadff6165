"""``titledeed snapshot``: what was published, as one signed file for other homes."""

from __future__ import annotations

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
app.add_typer(group, name="snapshot", help="Exchange published registrations as signed files.")


@add_command(
    group,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def export(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write.", show_default=False)
    ],
    as_json: JsonFlag = False,
) -> None:
    """Write what this home published to a signed file.

    It holds the registrations that a block includes, with title, codes, proofs and disclosure.

    Examples:
        titledeed snapshot export published.snapshot
    """
    from titledeed_api.documents import coverage_document

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    invocation.unlock()
    with invocation.registry() as registry, show_progress(output) as progress:
        coverage = registry.snapshots.export(file, registry.owner, progress)
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "path": str(file),
                **coverage_document(coverage),
            }
        )
    else:
        output.write(f"{file}: {coverage.registrations} registration(s)")


@add_command(group, "import", exits=(ExitCode.OK, ExitCode.INVALID))
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A snapshot.", show_default=False)],
    as_json: JsonFlag = False,
) -> None:
    """Check another home's snapshot and search it from now on.

    Its signature and the evidence of every registration in it are checked first; of a snapshot
    that does not hold, nothing is taken.

    Examples:
        titledeed snapshot import published.snapshot
    """
    from titledeed_api.documents import coverage_document

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry, show_progress(output) as progress:
        coverage, added, unused = registry.snapshots.import_(file, progress)
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                **coverage_document(coverage),
                "added": added,
                "unused": list(unused),
            }
        )
    else:
        output.write(
            f"{coverage.registrations} registration(s) exported by {coverage.exporter}, "
            f"{added} new here"
        )
        if unused:
            output.note(f"Signed, and not used by this release: {', '.join(unused)}.")


@add_command(group, "list", exits=(ExitCode.OK,))
def list_(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show which snapshots were imported, oldest export first.

    Examples:
        titledeed snapshot list --json
    """
    from titledeed.proofs.times import format_time
    from titledeed_api.documents import coverage_document

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry:
        coverages = registry.snapshots.list_imported()
    if as_json:
        snapshots = [coverage_document(coverage) for coverage in coverages]
        output.write_json({"schema_version": SCHEMA_VERSION, "snapshots": snapshots})
        return
    output.write_table(
        ("exported", "by", "registrations", "snapshot"),
        [
            (
                format_time(coverage.exported_at),
                coverage.exporter,
                str(coverage.registrations),
                coverage.snapshot_id,
            )
            for coverage in coverages
        ],
    )
    if not coverages:
        output.note("No snapshot was imported.")
