"""How much evidence makes a match: the calibration file, and the one score made of all evidence.

A matcher tells raw numbers, one per kind of evidence; what they are worth is measured, never
chosen: the calibration script writes the file from queries with material that is registered
nowhere. A new calibration is a new file beside the old.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from titledeed.canonical.documents import Fields, parse_document
from titledeed.errors import InvariantViolation

CALIBRATION: Final = 1
"""The calibration in use."""

THRESHOLDS_SCHEMA: Final = "titledeed/thresholds/1"
THRESHOLDS_MAX: Final = 100
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class FalseAccepts:
    """How often material that is registered nowhere found something.

    Attributes:
        queries: how many were made.
        source_files: distinct files they were made of; queries from one file are no independent
            witnesses.
        accepted: queries that found a work.
        per_million_bound: upper end of the Clopper-Pearson interval of their share.
    """

    queries: int
    source_files: int
    accepted: int
    per_million_bound: int


@dataclass(frozen=True, slots=True)
class Material:
    """Part of the background: what it is, its codes and the distinct files behind them."""

    name: str
    codes: int
    source_files: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One calibration.

    Attributes:
        calibration: its number.
        is_provisional: whether the numbers still wait for a measurement.
        confidence_percent: of all bounds, one-sided.
        background: the material that the queries were made of.
        by_kind: evidence of each kind that must be exceeded; above 0.
        false_accepts: of all kinds of evidence together, by medium.
    """

    calibration: int
    is_provisional: bool
    confidence_percent: int
    background: tuple[Material, ...]
    by_kind: Mapping[str, float]
    false_accepts: Mapping[str, FalseAccepts]

    def score(self, evidence: Mapping[str, float]) -> float:
        """The strongest kind of evidence in units of its threshold; above 1 is a match.

        Args:
            evidence: raw numbers by kind, 0 for none; kinds that were not looked at are left out.
        """
        unknown = evidence.keys() - self.by_kind.keys()
        if unknown:
            raise InvariantViolation(f"evidence that is not calibrated: {sorted(unknown)}")
        return max((value / self.by_kind[kind] for kind, value in evidence.items()), default=0.0)


@cache
def load_thresholds(calibration: int = CALIBRATION) -> Thresholds:
    """A calibration that is shipped."""
    file = files("titledeed.matching").joinpath(f"thresholds-{calibration}.json")
    thresholds = parse_thresholds(file.read_bytes())
    if thresholds.calibration != calibration:
        raise InvariantViolation(f"{file.name} says it is calibration {thresholds.calibration}")
    return thresholds


def parse_thresholds(data: bytes) -> Thresholds:
    """Read a calibration file.

    Raises:
        MalformedDocumentError: it is none, or says something that this version does not know.
    """
    fields = parse_document(data, what="the calibration")
    fields.literal("schema", THRESHOLDS_SCHEMA)
    thresholds = Thresholds(
        calibration=fields.integer("calibration", minimum=1),
        is_provisional=fields.boolean("is_provisional"),
        confidence_percent=fields.integer("confidence_percent", minimum=50, maximum=99),
        background=tuple(
            _material(item) for item in fields.children("background", items_max=THRESHOLDS_MAX)
        ),
        by_kind=_by_kind(fields),
        false_accepts=_false_accepts(fields),
    )
    fields.done()
    return thresholds


def _by_kind(fields: Fields) -> Mapping[str, float]:
    return MappingProxyType(
        {
            kind: item.integer("thousandths", minimum=1) / 1000
            for kind, item in _named(fields, "thresholds", "kind")
        }
    )


def _false_accepts(fields: Fields) -> Mapping[str, FalseAccepts]:
    by_medium = {}
    for medium, item in _named(fields, "false_accepts", "medium"):
        queries = item.integer("queries", minimum=1)
        by_medium[medium] = FalseAccepts(
            queries=queries,
            source_files=item.integer("source_files", minimum=1, maximum=queries),
            accepted=item.integer("accepted", maximum=queries),
            per_million_bound=item.integer("per_million_bound", maximum=MILLION),
        )
    return MappingProxyType(by_medium)


def _named(fields: Fields, name: str, key: str) -> Iterator[tuple[str, Fields]]:
    """Items under their names; each must be read whole before the next."""
    seen = set()
    for item in fields.children(name, items_max=THRESHOLDS_MAX):
        named = item.text(key)
        if not named or named in seen:
            raise item.fail(key, "must be named once")
        seen.add(named)
        yield named, item
        item.done()


def _material(fields: Fields) -> Material:
    material = Material(
        name=fields.text("material"),
        codes=fields.integer("codes"),
        source_files=fields.integer("source_files"),
    )
    fields.done()
    return material
