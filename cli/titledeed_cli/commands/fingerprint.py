"""``titledeed fingerprint``, ``search`` and ``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from titledeed_cli.alignment_plot import Axis, draw_alignment
from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.matches import SEGMENT_HEADINGS, iter_segment_rows
from titledeed_cli.output import SCHEMA_VERSION, Output
from titledeed_cli.progress import show_progress

if TYPE_CHECKING:
    from titledeed.models.examination import Examination
    from titledeed.services.comparison import Comparison

app = typer.Typer()

NO_SHARED_CONTENT: Final = "The two files share no content that can be seen in their fingerprints."


@add_command(app, exits=(ExitCode.OK,))
def fingerprint(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A picture, clip or sound.", show_default=False)
    ],
    as_json: JsonFlag = False,
) -> None:
    """Compute the fingerprints of a file, and keep nothing.

    Prints each algorithm with its version and size; with --json the codes themselves, in base64.
    Where the media carry no evidence (black, one colour, silence, under a second), there is no
    code, and the reason is named. The file leaves this machine in no case.

    Examples:
        titledeed fingerprint clip.mp4
        titledeed fingerprint still.png --json
    """
    from titledeed.bootstrap import make_examiner
    from titledeed_api.documents import fingerprint_document

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with show_progress(output) as progress:
        examination = make_examiner(invocation.settings).examine(file, progress)
    if as_json:
        output.write_json(fingerprint_document(examination))
        return
    output.write(f"SHA-256 {examination.asset.content_digest.hex()}")
    output.write_table(
        ("algorithm", "version", "bytes"),
        [
            (code.algorithm, str(code.version), f"{len(code.code):,}")
            for code in examination.fingerprints
        ],
    )
    _note_missing(output, file, examination)


@add_command(app, exits=(ExitCode.OK, ExitCode.NO_RECORD))
def search(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What to look for.", show_default=False)
    ],
    as_json: JsonFlag = False,
) -> None:
    """Find registered works in a file, by content alone.

    Neither credentials nor the chain are asked: `titledeed verify` does that. Prints every work
    with its seconds, and how it relates: same file, copy, clip of, contains, shares content.

    Examples:
        titledeed search downloaded.mp4
        titledeed search frame.png --json
    """
    from titledeed_api.documents import match_document

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry, show_progress(output) as progress:
        examination, found = registry.search.search(file, registry.owner, progress)
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "matches": [
                    {"title": work.title, **match_document(match)} for match, work in found
                ],
                "notes": list(examination.notes),
            }
        )
    else:
        output.write_table(
            ("relation", "score", *SEGMENT_HEADINGS, "title", "registration"),
            [
                (match.relation.value, f"{match.score:.2f}", *row, work.title, work.registration_id)
                for match, work in found
                for row in iter_segment_rows(match)
            ],
        )
        if not found:
            output.write("Nothing registered matches; this is no evidence either way.")
        _note_missing(output, file, examination)
    raise typer.Exit(ExitCode.OK if found else ExitCode.NO_RECORD)


@add_command(app, exits=(ExitCode.OK, ExitCode.NO_RECORD))
def compare(
    context: typer.Context,
    first: Annotated[Path, typer.Argument(metavar="A", help="One file.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="B", help="The other.", show_default=False)],
    plot: Annotated[
        Path | None,
        typer.Option(help="Write a picture of the alignment to this SVG file.", show_default=False),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell which seconds of one file are which seconds of another.

    Neither has to be registered, nothing is kept, and no file leaves this machine. How they relate
    is said from A's side: A is a copy of B, a clip of it, contains it, or shares content with it.

    Examples:
        titledeed compare trailer.mp4 film.mp4
        titledeed compare trailer.mp4 film.mp4 --plot alignment.svg --json
    """
    from titledeed.bootstrap import index_works, make_examiner
    from titledeed.durability import write_durably
    from titledeed.services.comparison import compare as compare_files
    from titledeed_api.documents import comparison_document

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with show_progress(output) as progress:
        found = compare_files(
            make_examiner(invocation.settings), index_works, first, second, progress
        )
    if plot is not None:
        picture = draw_alignment(
            Axis(first.name, found.first.query.duration_s),
            Axis(second.name, found.second.query.duration_s),
            found.match.segments if found.match else (),
        )
        write_durably(plot, picture.encode("utf-8"))
    if as_json:
        output.write_json(comparison_document(found))
    else:
        _write_comparison(output, first, second, found)
    raise typer.Exit(ExitCode.NO_RECORD if found.shares_nothing else ExitCode.OK)


def _write_comparison(output: Output, first: Path, second: Path, found: Comparison) -> None:
    if found.shares_nothing:
        output.write(NO_SHARED_CONTENT)
    else:
        score = f", score {found.match.score:.2f}" if found.match else ""
        output.write(f"{first.name} to {second.name}: {found.relation.value}{score}", style="bold")
    if found.match is not None:
        output.write_table(
            (first.name, second.name, "what", "speed"), iter_segment_rows(found.match)
        )
    _note_missing(output, first, found.first)
    _note_missing(output, second, found.second)


def _note_missing(output: Output, file: Path, examination: Examination) -> None:
    for note in examination.notes:
        output.note(f"{file.name}: {note}")
