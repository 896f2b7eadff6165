"""The examples and lists of the reference pages hold for the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from titledeed.audit.severities import SEVERITIES
from titledeed.disclosure.film import DEPARTMENTS, MODES, parse_film_disclosure
from titledeed.policy.packs import parse_pack
from titledeed.policy.rules import Operator

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def example(name: str) -> bytes:
    found = re.search(r"```yaml\n(.*?)```", page(name), re.S)
    assert found
    return found[1].encode()


def test_the_example_disclosure_is_read_wholly() -> None:
    disclosure = parse_film_disclosure(example("disclosure-document.md"))
    assert disclosure.unread == ()
    assert disclosure.uses and disclosure.uses[0].time and disclosure.uses[0].time.start_s == 4


def test_the_example_pack_is_accepted() -> None:
    assert parse_pack(example("rule-packs.md")).rules


@pytest.mark.parametrize("word", [*DEPARTMENTS, *MODES])
def test_every_word_of_the_vocabularies_is_documented(word: str) -> None:
    assert re.search(rf"\b{word}\b", page("disclosure-document.md"))


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_is_documented(operator: Operator) -> None:
    assert f"`{operator}" in page("rule-packs.md")


def test_every_finding_code_is_documented_with_its_severity() -> None:
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (\w+)", page("disclosure-document.md"), re.M)
    documented = {code.strip("`"): word for codes, word in rows for code in codes.split(", ")}
    assert documented == {code.value: severity.value for code, severity in SEVERITIES.items()}
