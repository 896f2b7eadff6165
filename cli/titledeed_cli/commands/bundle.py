"""``titledeed bundle``: evidence bundles, which anybody can check offline."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Final

import typer

from titledeed.errors import NotFoundError, StorageError
from titledeed.models.primitives import RegistrationId
from titledeed_cli.commands.verify import CLAIMS_NOT_TRUTH
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION

UNREAD_SHOWN: Final = 200
"""Characters of a signed value; ``--json`` has it whole."""

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="bundle", help="Check and export evidence bundles.")


@add_command(
    group,
    exits=(
        ExitCode.OK,
        ExitCode.INVALID,
    ),
)
def verify(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An evidence bundle.", show_default=False)
    ],
    asset: Annotated[
        Path | None,
        typer.Option(
            help="The registered file or its signed copy, to compare as well.", show_default=False
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check an evidence bundle without network, database or key.

    Checks the claimant's signature, the documents that the claim binds, the Merkle path and the
    transaction that anchors it. What nothing offline can show is named, to be compared by hand.

    Examples:
        titledeed bundle verify evidence.json
        titledeed bundle verify evidence.json --asset clip.mp4 --json
    """
    from titledeed.services.evidence import check_bundle_file
    from titledeed_api.documents import bundle_document

    output = get_invocation(context, as_json=as_json).output
    report = check_bundle_file(file, asset)
    if as_json:
        output.write_json(bundle_document(report))
    else:
        title = report.bundle.dossier.rights.title
        verdict = "holds" if report.holds else "does not hold"
        style = "bold green" if report.holds else "bold red"
        output.write(f"The evidence bundle of “{title}” {verdict}.", style=style)
        output.write(CLAIMS_NOT_TRUTH)
        dossier = report.bundle.dossier
        statement = dossier.record.signed_claim.claim.statement
        if statement is not None:
            output.write(f"Signed: {statement}")
        output.write_table(
            ("check", "result", "detail"),
            [(c.name, c.result.value.replace("_", " "), c.detail) for c in report.checks],
        )
        for name, unread in dossier.unread.items():
            for field in unread:
                value = textwrap.shorten(field.value, UNREAD_SHOWN, placeholder="…")
                output.write(f"Signed, and not read by this release: {name}.{field.name} = {value}")
        output.write(f"To compare by hand: {report.by_hand}")
    raise typer.Exit(ExitCode.OK if report.holds else ExitCode.INVALID)


@add_command(
    group,
    exits=(
        ExitCode.OK,
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def export(
    context: typer.Context,
    registration: Annotated[
        str, typer.Argument(metavar="ID", help="A registration id.", show_default=False)
    ],
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="The file to write.", show_default=False)
    ],
    as_json: JsonFlag = False,
) -> None:
    """Write a registration's evidence bundle to a file.

    Whoever has the bundle sees title, claimant and disclosure of the registration, published
    or not: it is an exhibit to hand on.

    Examples:
        titledeed bundle export td1abc... evidence.json
    """
    from titledeed.durability import write_durably

    invocation = get_invocation(context, as_json=as_json)
    with invocation.registry() as registry:
        found = registry.registration.get(RegistrationId(registration), registry.owner)
        if not found.has_bundle:
            raise NotFoundError(
                f"{registration} is in no block yet"
                if found.anchor is None
                else f"the evidence bundle of {registration} is not completed yet",
                next_step=f"Run `titledeed receipt {registration}`.",
                what="bundle",
                registration_id=registration,
            )
        data = registry.registration.read_bundle(found)
    _require_folder(destination.parent)
    write_durably(destination, data)
    if as_json:
        document = {
            "schema_version": SCHEMA_VERSION,
            "registration_id": registration,
            "path": str(destination),
        }
        invocation.output.write_json(document)
    else:
        invocation.output.write(str(destination))


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise StorageError(
            f"{folder} is no folder",
            next_step="Make it first, or name another destination.",
            path=folder,
        )
