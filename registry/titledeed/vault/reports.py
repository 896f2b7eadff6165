"""Audit reports: JSON for programs, HTML for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from titledeed.durability import write_durably
from titledeed.errors import InvalidRequestError, NotFoundError

JSON: Final = "report.json"
HTML: Final = "report.html"


@dataclass(frozen=True, slots=True)
class KeptReport:
    """Where the two forms of a report lie, for people."""

    json_location: str
    html_location: str


class Reports:
    """Reports of audits.

    Args:
        folder: this home's own; reports that were wanted elsewhere lie elsewhere.
    """

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder

    def keep(
        self, name: str, *, json: bytes, html: bytes, away_from: Path, output: Path | None = None
    ) -> KeptReport:
        """Keep a report in the place of an earlier one of the same name.

        Args:
            name: of the report in this home's folder.
            json: for programs.
            html: for people.
            away_from: a folder that nothing may be written into.
            output: the auditor's own folder; None for this home's.

        Raises:
            InvalidRequestError: it would land in the folder it must stay away from.
            StorageError: it cannot be written.
        """
        target, forbidden = output or self._folder / name, away_from.resolve()
        if target.resolve() == forbidden or forbidden in target.resolve().parents:
            raise InvalidRequestError(
                "the report would land in the submission's own folder",
                next_step="Choose another folder with --output.",
                path=target,
            )
        write_durably(target / JSON, json)
        write_durably(target / HTML, html)
        return KeptReport(str(target / JSON), str(target / HTML))

    def read_html(self, location: str) -> bytes:
        """The form for people.

        Raises:
            NotFoundError: it is not kept any more.
        """
        try:
            return Path(location).read_bytes()
        except OSError as error:
            raise NotFoundError("the report is not kept any more", what="report") from error
