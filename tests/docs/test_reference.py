from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from titledeed.canonical.documents import hex_word
from titledeed.models.ledger import ContractName
from titledeed.proofs.versions import list_versions
from titledeed.settings import Settings
from titledeed_api.problems import PROBLEM_KINDS
from titledeed_cli.commands.config import list_settings
from titledeed_cli.exit_codes import ERROR_CODES

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"
ERRORS = (REFERENCE / "errors.md").read_text()
SETTINGS = (REFERENCE / "settings.md").read_text()


def test_every_setting_is_documented_with_its_default() -> None:
    documented = dict(re.findall(r"^\| `(TITLEDEED_\w+)` \| `?([^`|]+?)`? \|", SETTINGS, re.M))
    effective = {
        setting.variable: "not set" if setting.value is None else str(setting.value)
        for setting in list_settings(Settings())
    }
    assert documented == effective


def test_every_error_is_listed_with_its_codes_and_data() -> None:
    listed = re.findall(
        r"^\| \[`(\w+)`\]\(#\1\) \| (\d+) \| (\d+) \| (\w+) \|(?: (.*))? \|$", ERRORS, re.M
    )
    expected = [
        (
            error.code,
            str(code.value),
            str(PROBLEM_KINDS[error.code].status),
            "yes" if error.retryable else "no",
            ", ".join(f"`{name}`" for name in error.data_names()),
        )
        for error, code in ERROR_CODES.items()
    ]
    assert listed == expected


@pytest.mark.parametrize("code", sorted(error.code for error in ERROR_CODES))
def test_every_error_has_a_section_with_text(code: str) -> None:
    section = ERRORS.partition(f"\n### {code}\n")[2].partition("\n#")[0]
    assert len(section.split()) >= 5


def test_codes_of_the_api_alone_are_documented() -> None:
    own = set(PROBLEM_KINDS) - {error.code for error in ERROR_CODES}
    only_api = ERRORS.partition("## Only from the HTTP API")[2]
    documented = set(re.findall(r"^\| `(\w+)` \| (\d+) \|", only_api, re.M))
    assert documented == {(code, str(PROBLEM_KINDS[code].status)) for code in own}


def test_every_version_of_the_contract_is_documented_where_gas_is_as_measured() -> None:
    root = REFERENCE.parents[1]
    text = (REFERENCE / "contract.md").read_text(encoding="utf-8")
    for version in list_versions(ContractName.TITLE_DEED):
        for told in (hex_word(version.code_hash), version.usual_address, version.artifact):
            assert f"`{told}`" in text
    gas: dict[str, int] = json.loads((root / "contracts/gas.json").read_text(encoding="utf-8"))
    assert {name: f"| {cost:,} |" in text for name, cost in gas.items()} == dict.fromkeys(gas, True)
