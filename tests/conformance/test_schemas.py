"""The JSON Schemas accept what the code writes, and refuse nothing that the code reads."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from build_schemas import SCHEMAS, render_schemas
from canonical_documents import PARSERS, SAMPLES, Document, Place, is_read
from canonical_formats import FORMATS, OPEN_FORMATS, Format, extended, iter_places
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from json_places import at, put
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from titledeed.canonical.documents import INTEGER_MAX, TIMESTAMP_MAX
from titledeed.canonical.evidence.snapshots import SNAPSHOT_LINES_MAX
from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.models.rights import SHARES_TOTAL

FILES: Final[dict[str, Document]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")
}
REGISTRY: Final[Registry[Any]] = Registry().with_resources(
    (f"{name}.json", Resource.from_contents(schema)) for name, schema in FILES.items()
)
VALIDATORS: Final = {
    name: Draft202012Validator(schema, registry=REGISTRY) for name, schema in FILES.items()
}
SUMS: Final = {"share_ppm", "start_ms", "end_ms", "source_start_ms", "source_end_ms"}
TOGETHER: Final = SUMS | {"lines", "registrations", "holders", "sequence", "head"}
"""What a schema cannot say of these the parser refuses as well."""

NESTED: Final = {"dossier", "record", "disclosure", "rights", "lineage", "logs", "words"}
"""Documents with a schema and a sample of their own."""


def shorten(document: Any) -> Any:
    """The document with one of the items that are all alike, for speed."""
    if isinstance(document, dict):
        return {
            name: shorten(value[:1] if name in {"anchors", "account_proof", "path"} else value)
            for name, value in document.items()
        }
    return [shorten(item) for item in document] if isinstance(document, list) else document


def is_valid(name: str, document: Document) -> bool:
    """What the schema says."""
    return bool(VALIDATORS[name].is_valid(document))


def test_the_files_are_those_that_the_code_gives() -> None:
    rendered = render_schemas()
    assert {path.name for path in SCHEMAS.iterdir()} == {path.name for path in rendered}
    for path, text in rendered.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `make vectors`"


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_one_and_says_what_each_field_is(name: str) -> None:
    Draft202012Validator.check_schema(FILES[name])
    assert FILES[name]["$id"] == f"{name}.json"
    assert FILES[name]["description"]
    for place in iter_places(FILES[name]):
        if place[-2:-1] == ("properties",) and isinstance(at(FILES[name], place), dict):
            assert "if" in place or "description" in at(FILES[name], place), place


def test_every_reference_leads_somewhere() -> None:
    for name, schema in FILES.items():
        for place in iter_places(schema):
            if place and place[-1] == "$ref":
                assert REGISTRY.resolver(f"{name}.json").lookup(at(schema, place)).contents


def test_every_schema_has_a_sample_and_a_parser() -> None:
    beside = {"definitions", "fingerprints-1"}
    assert set(SAMPLES) == set(PARSERS) == set(FILES) - beside


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_valid_and_read(name: str) -> None:
    VALIDATORS[name].validate(SAMPLES[name])
    assert is_read(name, SAMPLES[name])


def test_the_list_of_fingerprints_is_valid() -> None:
    codes = SAMPLES["dossier-2"]["fingerprints"]
    listed = {
        "schema": "titledeed.fingerprints/1",
        "fingerprints": [
            {"algorithm": code["algorithm"], "version": code["version"], "code_sha256": "ab" * 32}
            for code in codes
        ],
    }
    VALIDATORS["fingerprints-1"].validate(listed)
    assert not VALIDATORS["fingerprints-1"].is_valid(listed | {"more": 1})


LARGE = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS)
@settings(LARGE, max_examples=40)
@given(data=st.data())
def test_what_the_code_writes_is_valid(made: Format, data: st.DataObject) -> None:
    VALIDATORS[made.schema].validate(dict(made.encode(data.draw(made.values))))


@pytest.mark.parametrize("name", OPEN_FORMATS)
@settings(LARGE, max_examples=40)
@given(data=st.data())
def test_what_a_later_release_may_write_is_valid(name: str, data: st.DataObject) -> None:
    VALIDATORS[name].validate(data.draw(extended(FORMATS[name])))


NUMBERS: Final = (
    *(-1, 0, 1, 2, 20, 32, 33, 65_535, 65_536, SHARES_TOTAL + 1, 2**32 - 1, 2**32, 2**32 + 1),
    *(
        SNAPSHOT_LINES_MAX,
        SNAPSHOT_LINES_MAX + 1,
        TIMESTAMP_MAX,
        TIMESTAMP_MAX + 1,
        INTEGER_MAX,
        INTEGER_MAX + 1,
    ),
)
TEXTS: Final = (
    *("x", "x\n", "ä", "nl", "nl\n", "nl-", "und", "zh-Hans", "e", "0x", "0xa", "0xab", "0xAB"),
    *("0xab\n", "ab" * 32, "0x" + "ab" * 32, ZERO_ADDRESS, ZERO_ADDRESS[:-2], "ab" * 32 + "\n"),
    *("td1" + "a" * 32, "td1" + "a" * 33, "td1" + "A" * 32, "td1" + "a" * 32 + "\n"),
    *("YQ==", "YQ=", "YR==", "YWI=", "YWJ=", "YWJj", "YWJj\n", "=", "public", "prompt", "gone"),
    *("x" * length for length in (35, 36, 100, 101, 255, 256, 300, 301, 4_096, 4_097, 20_000)),
    *("0x" + "ab" * length for length in (65, 66, 1_024, 1_025, 4_096, 4_097, 8_192, 8_193)),
    *("0x" + "ab" * length for length in (65_536, 65_537, 131_072, 131_073)),
    *("en-" + "a-" * 15 + "aa", "en-" + "a-" * 15 + "aaa", "titledeed.rights/3"),
)
"""Right in some places, and wrong in most; EIP-55 and base64 beyond a limit are left out."""

OTHERS: Final[tuple[Any, ...]] = (
    None,
    True,
    1,
    1.5,
    "",
    [],
    {},
    [{}],
    [None],
    ["x"],
    {"x": 1},
    {"x": 1.5},
    {"ä": 1},
)


def iter_changes(document: Document) -> Iterator[tuple[Place, Document]]:
    """Documents with one thing changed, and where."""
    for place in iter_places(document):
        if NESTED & set(place[:-1]):
            continue
        value = at(document, place)
        if isinstance(value, dict) and place[-1:] not in {(name,) for name in NESTED}:
            yield (*place, "later"), _with_field(document, place, "later", {"a": [1, None]})
            yield (*place, "later"), _with_field(document, place, "later", {"a": [1.5]})
            yield (*place, "later"), _with_field(document, place, "läter", 1)
            yield (*place, "later"), _with_field(document, place, "x" * 101, 1)
        if place:
            yield place, _without(document, place)
            alike = {int: NUMBERS, str: TEXTS}.get(type(value), ())
            yield from ((place, put(document, place, wrong)) for wrong in (*OTHERS, *alike))


def _with_field(document: Document, place: Place, name: str, value: object) -> Document:
    changed = copy.deepcopy(document)
    at(changed, place)[name] = value
    return changed


def _without(document: Document, place: Place) -> Document:
    changed = copy.deepcopy(document)
    del at(changed, place[:-1])[place[-1]]
    return changed


@pytest.mark.parametrize("name", SAMPLES)
def test_schema_and_parser_refuse_the_same(name: str) -> None:
    for place, changed in iter_changes(shorten(SAMPLES[name])):
        if not TOGETHER & set(place):
            assert is_valid(name, changed) == is_read(name, changed), (place, changed)
        elif is_read(name, changed):
            assert is_valid(name, changed), (place, changed)
