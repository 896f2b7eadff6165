"""``titledeed verify``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from titledeed_cli.exit_codes import HEADLINE_CODES, ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.matches import SEGMENT_HEADINGS, iter_segment_rows
from titledeed_cli.output import Output
from titledeed_cli.progress import show_progress
from titledeed_cli.registrations import ENTRY_HEADINGS, entry_row

if TYPE_CHECKING:
    from titledeed.models.evidence import (
        Answers,
        RecoveredManifest,
        VerificationReport,
        VisibleClaim,
    )

app = typer.Typer()

CLAIMS_NOT_TRUTH: Final = (
    "This shows claims and their order in time; it does not show who is right or how it was made."
)

_ANSWER_HEADINGS: Final = ("question", "answer", "why")

_STYLES: Final = {
    ExitCode.OK: "bold green",
    ExitCode.NO_RECORD: "bold yellow",
    ExitCode.INVALID: "bold red",
    ExitCode.CONFLICT: "bold red",
}


@add_command(
    app,
    exits=(
        *HEADLINE_CODES.values(),
        ExitCode.LEDGER_UNAVAILABLE,
    ),
)
def verify(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to ask about.", show_default=False)
    ],
    as_json: JsonFlag = False,
) -> None:
    """Tell what is known about a file, a copy, or a clip cut out.

    Prints the verdict in one sentence, six independent answers with their reasons, the matched
    seconds, and every claim in order of time. The file leaves this machine in no case.

    Examples:
        titledeed verify downloaded.mp4
        titledeed verify downloaded.mp4 --json
    """
    from titledeed_api.documents import verification_document

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry, show_progress(output) as progress:
        report = registry.verification.verify(file, registry.owner, progress)
    if as_json:
        output.write_json(verification_document(report))
    else:
        write_report(output, report)
    raise typer.Exit(HEADLINE_CODES[report.headline])


def write_report(output: Output, report: VerificationReport) -> None:
    """What a person reads: the verdict first, what it is not, then the evidence."""
    output.write(report.sentence, style=_STYLES[HEADLINE_CODES[report.headline]])
    output.write(CLAIMS_NOT_TRUTH)
    recovered = report.recovered
    output.write_table(_ANSWER_HEADINGS, _answer_rows(report.answers))
    output.write_table(
        ("relation", *SEGMENT_HEADINGS, "score", "title", "registration"),
        _segment_rows(report),
        title="Where it matches",
    )
    output.write_table(
        ("", "claimed by", "when", "evidence of time", "title", "registration"),
        [_claim_row(position, claim) for position, claim in enumerate(report.claims, 1)],
        title="Claims, earliest first",
    )
    output.write_table(
        ("claim", *ENTRY_HEADINGS),
        [
            (str(position), *entry_row(entry))
            for position, claim in enumerate(report.claims, 1)
            for entry in claim.entries
        ],
        title="What the chain says about these claims since",
    )
    if recovered is not None:
        output.write_table(
            _ANSWER_HEADINGS,
            _answer_rows(recovered),
            title=f"Credentials that the registry kept for {recovered.registration_id}",
        )


def _answer_rows(answers: Answers | RecoveredManifest) -> list[tuple[str, str, str]]:
    return [(name, str(answer.code), answer.reason) for name, answer in answers.items()]


def _segment_rows(report: VerificationReport) -> Iterator[tuple[str, ...]]:
    for match in report.matches:
        for row in iter_segment_rows(match):
            yield (
                match.relation.value,
                *row,
                f"{match.score:.2f}",
                report.titles[match.registration_id],
                match.registration_id,
            )


def _claim_row(position: int, claim: VisibleClaim) -> tuple[str, ...]:
    from titledeed.proofs.times import format_time

    return (
        str(position),
        f"{claim.claimant} (mine)" if claim.mine else claim.claimant,
        format_time(claim.at) if claim.at is not None else f"not anchored yet ({claim.status})",
        str(claim.time.code),
        claim.title,
        claim.registration_id,
    )
