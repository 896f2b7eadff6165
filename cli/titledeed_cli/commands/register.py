"""``titledeed register``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from titledeed.errors import NotFoundError
from titledeed.models.disclosure import (
    AssetDisclosure,
    DigitalSourceType,
    HumanOversight,
    SourceClass,
    classify_source_type,
    disclose_model,
)
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import Invocation, JsonFlag, get_invocation
from titledeed_cli.progress import show_progress
from titledeed_cli.registrations import write_refused, write_registered

if TYPE_CHECKING:
    from titledeed.services.registration import RegisterRequest

app = typer.Typer()


Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH", help="Files, or folders that are searched for media.", show_default=False
    ),
]
Title = Annotated[
    str | None, typer.Option(help="Title of a single file; else its name.", show_default=False)
]
SourceType = Annotated[
    DigitalSourceType,
    typer.Option(
        metavar="TYPE",
        help="How it was made, as an IPTC digital source type: digitalCapture, humanEdits, …",
    ),
]
Model = Annotated[
    str | None, typer.Option(help="Name of the AI model that was used.", show_default=False)
]
ModelId = Annotated[
    str | None,
    typer.Option(help="Identifier of the model, for example a URL.", show_default=False),
]
Oversight = Annotated[
    HumanOversight | None,
    typer.Option(help="How far a person guided or checked the result.", show_default=False),
]
Credits = Annotated[
    list[str] | None,
    typer.Option(
        "--credit",
        metavar="LINE",
        help="A credit line, for example 'Prompts: A. Name'. May be repeated.",
    ),
]
Publish = Annotated[bool, typer.Option("--publish", help="Let everybody see the registration.")]
OutputFolder = Annotated[
    Path | None,
    typer.Option(
        "--output", help="Folder for the signed copies; else the home's.", show_default=False
    ),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Do not wait until a block includes the claims.")
]


@add_command(app, exits=(ExitCode.OK, ExitCode.LEDGER_UNAVAILABLE))
def register(
    context: typer.Context,
    paths: Paths,
    *,
    title: Title = None,
    source_type: SourceType = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA,
    model: Model = None,
    model_id: ModelId = None,
    oversight: Oversight = None,
    credit_lines: Credits = None,
    publish: Publish = False,
    output_folder: OutputFolder = None,
    no_wait: NoWait = False,
    as_json: JsonFlag = False,
) -> None:
    """Register media: fingerprint, sign a copy, record the claim.

    All files of one call share one transaction. The file itself is never changed: a signed copy
    goes to another folder. JPEG, PNG, WebP, WAV, MP3, MP4 and MOV are signed; types that carry
    no Content Credentials (WebM, MKV, GIF, FLAC, OGG) are registered only. A file that is refused
    does not stop the others. The same bytes registered again give the same registration.

    With --json, one object is printed for each file, one a line; refused files have "error".

    Examples:
        titledeed register clip.mp4 --title "Harbour at dusk" --model "Example Video 2"
        titledeed register renders/ --publish --json
        titledeed register photo.jpg --source-type digitalCapture
    """
    from titledeed.models.registration import Visibility
    from titledeed.services.acceptance import Statement
    from titledeed.services.registration import RegisterRequest

    statement = Statement(
        disclosure=disclose_model(
            source_type, model=model, identifier=model_id, oversight=oversight
        ),
        title=title,
        credits=tuple(credit_lines or ()),
        visibility=Visibility.PUBLISHED if publish else Visibility.PRIVATE,
        output=output_folder,
    )
    invocation = get_invocation(context, as_json=as_json)
    invocation.output.note(f"You declare {_describe(statement.disclosure)}")
    invocation.unlock()
    _register(invocation, RegisterRequest(tuple(paths), statement, wait=not no_wait))


def _register(invocation: Invocation, request: RegisterRequest) -> None:
    from titledeed.services.registration import RefusedFile

    output = invocation.output
    with invocation.registry() as registry:
        with show_progress(output) as progress:
            outcomes = registry.registration.register(request, registry.owner, progress)
        for outcome in outcomes:
            if isinstance(outcome, RefusedFile):
                write_refused(output, outcome)
            else:
                write_registered(output, outcome, registry.chain_identity)
    if not outcomes:
        raise NotFoundError(
            f"there are no media in {', '.join(map(str, request.sources))}",
            next_step="`titledeed register --help` names the types that are read.",
            what="media",
        )
    if any(isinstance(outcome, RefusedFile) for outcome in outcomes):
        raise typer.Exit(ExitCode.ERROR)


_COUNTS: Final = {
    SourceClass.GENERATIVE: "counts",
    SourceClass.NOT_GENERATIVE: "does not count",
    SourceClass.UNKNOWN: "may or may not count",
}


def _describe(disclosure: AssetDisclosure) -> str:
    source_type = disclosure.source_type
    counts = _COUNTS[classify_source_type(source_type)]
    model = f", model {disclosure.tools[0].name}" if disclosure.tools else ""
    return (
        f"the digital source type {source_type}, which {counts} as generative AI{model}; "
        "--source-type says otherwise."
    )
