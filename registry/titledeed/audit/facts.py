"""The flat facts that rule packs ask about. A fact that is not known is left out.

The names are part of the rule packs' format: see ``docs/reference/rule-packs.md``.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from titledeed.models.audit import AuditReport
from titledeed.models.disclosure import DepartmentAnswer, FilmDisclosure, Used
from titledeed.models.finding import Fact, Facts


def facts_of(report: AuditReport) -> Facts:
    """Facts of one film: ``detected.*`` is found by us, everything else is declared."""
    facts: dict[str, Fact] = {}
    if report.evidence.duration_s > 0:
        works = sum(work.is_generative for work in report.works)
        undeclared = sum(work.is_generative and work.declared is False for work in report.works)
        facts["film.duration_s"] = Fraction(report.time_share.total, 1000)
        facts["detected.works"] = Fraction(works)
        facts["detected.undeclared_works"] = Fraction(undeclared)
        facts["detected.time"] = report.generative_time
        facts["detected.time_share"] = report.time_share.detected
        facts["known.time_share"] = report.time_share.known
    if report.shot_share:
        facts["detected.shot_share"] = report.shot_share.detected
        facts["known.shot_share"] = report.shot_share.known
    if report.evidence.disclosure:
        facts.update(_declared(report.evidence.disclosure))
        if report.evidence.disclosure.uses is not None:
            facts["declared.time"] = report.declared_time
    return facts


def _declared(disclosure: FilmDisclosure) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    if disclosure.declared_use is not None:
        facts["declared_use"] = disclosure.declared_use.value
    if disclosure.tools is not None:
        facts["tools"] = tuple(tool.name for tool in disclosure.tools)
    if disclosure.uses is not None:
        facts["uses"] = tuple(use.id for use in disclosure.uses)
    if disclosure.departments is not None:
        facts.update(_departments(disclosure.departments))
    return facts


def _departments(answers: tuple[DepartmentAnswer, ...]) -> dict[str, Fact]:
    """One department may answer more than once: the answer that matters most counts."""
    by_department: dict[str, list[DepartmentAnswer]] = defaultdict(list)
    for answer in answers:
        by_department[answer.department].append(answer)
    facts: dict[str, Fact] = {}
    for department, given in by_department.items():
        used = {answer.used for answer in given}
        gravest = next(word for word in (Used.YES, Used.UNSURE, Used.NO) if word in used)
        facts[f"dept.{department}.used"] = gravest.value
        modes = tuple(dict.fromkeys(answer.mode for answer in given if answer.mode))
        if modes:
            facts[f"dept.{department}.mode"] = modes
    facts["departments"] = tuple(
        name for name in by_department if facts[f"dept.{name}.used"] == Used.YES.value
    )
    return facts
