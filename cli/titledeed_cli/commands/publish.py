"""``titledeed publish`` and ``titledeed unpublish``."""

from __future__ import annotations

from typing import Annotated

import typer

from titledeed.models.primitives import RegistrationId
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION

app = typer.Typer()

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A registration id.", show_default=False)
]


@add_command(app, exits=(ExitCode.OK,))
def publish(context: typer.Context, registration: IdArgument, as_json: JsonFlag = False) -> None:
    """Let everybody see a registration.

    The server shows it without a token and exported snapshots hold it. What was published and
    copied cannot be called back.

    Examples:
        titledeed publish td1abc...
    """
    _set_visibility(context, registration, published=True, as_json=as_json)


@add_command(app, exits=(ExitCode.OK,))
def unpublish(context: typer.Context, registration: IdArgument, as_json: JsonFlag = False) -> None:
    """Show a registration to its owner alone from now on.

    Snapshots that were exported before keep it.

    Examples:
        titledeed unpublish td1abc...
    """
    _set_visibility(context, registration, published=False, as_json=as_json)


def _set_visibility(
    context: typer.Context, registration_id: str, *, published: bool, as_json: bool
) -> None:
    from titledeed.models.registration import Visibility
    from titledeed_api.documents import registration_document

    invocation = get_invocation(context, as_json=as_json)
    visibility = Visibility.PUBLISHED if published else Visibility.PRIVATE
    with invocation.registry() as registry:
        changed = registry.registration.set_visibility(
            RegistrationId(registration_id), visibility, registry.owner
        )
    if as_json:
        document = {"schema_version": SCHEMA_VERSION, **registration_document(changed)}
        invocation.output.write_json(document)
    else:
        invocation.output.write(f"{changed.visibility}: {changed.registration_id}  {changed.title}")
