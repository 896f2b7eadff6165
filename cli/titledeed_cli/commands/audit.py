"""``titledeed audit``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from titledeed_cli.exit_codes import OUTCOME_CODES
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import Output
from titledeed_cli.progress import show_progress

if TYPE_CHECKING:
    from titledeed.models.audit import AuditReport, DetectedWork
    from titledeed.models.finding import Finding
    from titledeed.services.audit import AuditResult

app = typer.Typer()


@add_command(app, exits=tuple(OUTCOME_CODES.values()))
def audit(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="A submission: film.*, disclosure.yaml and more.",
            show_default=False,
        ),
    ],
    pack: Annotated[
        str | None,
        typer.Option(help="Rule pack to apply: a name or a file.", show_default=False),
    ] = None,
    output_folder: Annotated[
        Path | None,
        typer.Option(
            "--output", help="Folder for the report; else the home's.", show_default=False
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare what a film declares with what is found in it.

    The folder holds one film.*, a disclosure.yaml and, if there are any, timeline.otio and
    bundles/. Registered works are found with their seconds: own ones, those of the bundles, and
    those of imported snapshots. Nothing leaves this machine, and nothing is written into the
    folder. The report never says that a film passed or failed: people decide.

    Examples:
        titledeed audit submission/
        titledeed audit submission/ --pack cambridge-significant --json
    """
    from titledeed.services.audit import DEFAULT_PACK

    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    with invocation.registry() as registry, show_progress(output) as progress:
        result = registry.audit.audit(
            folder,
            registry.owner,
            pack=pack or DEFAULT_PACK,
            output=output_folder,
            progress=progress,
        )
    if as_json:
        paths = {"json_path": str(result.json_path), "html_path": str(result.html_path)}
        output.write_json({**result.document, **paths})
    else:
        _write_result(output, result)
    raise typer.Exit(OUTCOME_CODES[result.report.outcome])


def _write_result(output: Output, result: AuditResult) -> None:
    from titledeed.audit.wording import DISCLAIMER, percent_range

    report = result.report
    output.write(str(result.document["sentence"]), style="bold")
    output.write(DISCLAIMER)
    output.write_table(
        ("finding", "severity", "in the film", "what it says"),
        [_finding_row(finding) for finding in report.findings],
        title="Findings",
    )
    output.write_table(
        ("in the film", "registered work", "declared", "digital source type", "registration"),
        [_work_row(work) for work in report.works],
        title="Registered works found in the film",
    )
    shown = percent_range(report.time_share.detected)
    output.write(f"Registered generative works show in {shown} of the film's time.")
    if report.shot_share is not None:
        output.write(f"In shots: {percent_range(report.shot_share.detected)}.")
    if report.pack is not None:
        output.write(f"Rules: {report.pack.id} ({report.pack.status}). {report.pack.notice}")
    for line in _describe_coverage(report):
        output.write(line)
    output.write(f"Report: {result.html_path}")
    output.write(f"        {result.json_path}")


def _finding_row(finding: Finding) -> tuple[str, ...]:
    from titledeed.audit.wording import runs

    where = runs([finding.film_time]) if finding.film_time else ""
    return finding.code, str(finding.severity), where, finding.message


def _work_row(work: DetectedWork) -> tuple[str, ...]:
    from titledeed.audit.wording import runs

    declared = {True: "yes", False: "no", None: "not stated"}[work.declared]
    where = runs(work.film_time)
    return where, work.title, declared, str(work.source_type), work.registration_id


def _describe_coverage(report: AuditReport) -> Iterator[str]:
    """What was searched: a work that is not in there cannot be found."""
    from titledeed.audit.wording import counted, moment

    evidence = report.evidence
    own = counted(evidence.own_registrations, "own registration")
    yield f"Searched: {own}, {counted(evidence.submitted_bundles, 'submitted bundle')}"
    for coverage in evidence.coverages:
        held = counted(coverage.registrations, "registration")
        exported = moment(coverage.exported_at)
        yield f"          {held} of the snapshot of {exported} by {coverage.exporter}"
