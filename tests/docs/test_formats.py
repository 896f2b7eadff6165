"""The page about formats names every schema, every field and every type."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest
from build_schemas import SCHEMAS, list_schemas
from build_vectors import VECTORS

from titledeed.canonical.claims import CLAIM_TYPE, FIRST_CLAIM_TYPE
from titledeed.canonical.disclosure_signatures import DISCLOSURE_TYPE
from titledeed.canonical.documents import (
    UNREAD_LENGTH_MAX,
    UNREAD_MAX,
    UNREAD_NAME_LENGTH_MAX,
    UNREAD_NESTING_MAX,
)
from titledeed.models.disclosure import HumanOversight
from titledeed.models.lineage import Relation, VariantKind
from titledeed.models.record import CommitmentKind
from titledeed.models.rights import Basis, Mining, MiningUse

PAGE: Final = (SCHEMAS.parent / "formats.md").read_text(encoding="utf-8")
SECTIONS: Final = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
TITLES: Final = {
    "claim": "Claim",
    "disclosure": "Disclosure of one file",
    "rights": "Rights statement",
    "lineage": "Lineage",
    "fingerprints": "Fingerprints",
    "record": "Record",
    "dossier": "Dossier",
    "bundle": "Evidence bundle",
    "log": "Log",
    "word": "Stored word",
    "snapshot": "Snapshot",
    "openings": "Openings",
    "disclosure-signature": "Disclosure signature",
}


def name_of(schema: str) -> str:
    """The format that a schema is of."""
    return re.sub(r"(-header|-trailer)?(-\d)?\.json$", "", schema)


def test_every_schema_is_linked_and_every_link_is_one() -> None:
    linked = set(re.findall(r"\(schemas/([\w.-]+)\)", PAGE))
    assert linked == set(list_schemas()) == {path.name for path in SCHEMAS.iterdir()}


@pytest.mark.parametrize("name", [name for name in list_schemas() if name != "definitions.json"])
def test_every_field_is_told(name: str) -> None:
    newer = name.replace("-1.json", "-2.json")
    if newer == name or newer not in list_schemas():
        for field in list_schemas()[name]["properties"]:
            assert f"`{field}`" in SECTIONS[TITLES[name_of(name)]], field


def test_every_section_that_is_linked_exists() -> None:
    anchors = {title.lower().replace(" ", "-") for title in re.findall(r"^##+ (.*)$", PAGE, re.M)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= anchors


@pytest.mark.parametrize("vocabulary", [HumanOversight, Basis, Mining, MiningUse, Relation])
def test_every_word_is_told(vocabulary: type[HumanOversight]) -> None:
    assert {word for word in vocabulary if f"`{word}`" not in PAGE} == set()


def test_every_kind_is_told() -> None:
    kinds = {*VariantKind, *CommitmentKind}
    assert {word for word in kinds if f"`{word}`" not in PAGE} == set()


def test_types_and_typed_data_are_those_of_the_code() -> None:
    types = re.findall(r"^[A-Z]\w+\(.*\)$", PAGE, re.M)
    assert types == [CLAIM_TYPE, FIRST_CLAIM_TYPE, DISCLOSURE_TYPE]
    vectors = json.loads((VECTORS / "canonical.json").read_text(encoding="utf-8"))
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.S)]
    assert shown == [
        vectors["claim"]["typed_data"],
        vectors["disclosure_signature"]["typed_data"],
    ]


def test_limits_of_what_is_kept_are_told() -> None:
    told = (
        f"at most {UNREAD_MAX} fields a document, each of at most {UNREAD_LENGTH_MAX:,} characters "
        f"of canonical JSON and {UNREAD_NESTING_MAX} levels, with ASCII names of at most "
        f"{UNREAD_NAME_LENGTH_MAX} characters"
    )
    assert told in " ".join(PAGE.split())
