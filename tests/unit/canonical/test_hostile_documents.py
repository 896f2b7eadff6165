"""Documents that somebody bent: each is refused, and its nearest neighbour is read."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

import pytest
from canonical_documents import PARSERS, SAMPLES, Document, Place, read, refuse, without
from canonical_formats import FORMATS, OPEN_FORMATS, iter_places
from json_places import at, put

from titledeed.canonical.documents import (
    INTEGER_MAX,
    UNREAD_LENGTH_MAX,
    UNREAD_MAX,
    UNREAD_NAME_LENGTH_MAX,
    UNREAD_NESTING_MAX,
    digest_document,
    encode_document,
    parse_document,
)
from titledeed.errors import MalformedDocumentError

CLOSED_FORMATS: Final = sorted(set(PARSERS) - set(OPEN_FORMATS))


def grown(name: str, value: object, *, place: Place = (), field: str = "later") -> Document:
    """The sample of a format with one field more."""
    document = copy.deepcopy(SAMPLES[name])
    at(document, place)[field] = value
    return document


def list_objects(name: str) -> list[Place]:
    """Every object of a sample that belongs to this format and to no document in it."""
    sample = SAMPLES[name]
    documents = {"claim", "record", "disclosure", "rights", "lineage", "dossier", "logs", "words"}
    places = [place for place in iter_places(sample) if isinstance(at(sample, place), dict)]
    return [place for place in places if not documents & set(place)]


def digest_read(name: str, document: Document) -> bytes:
    """Digest of what a reader encodes again."""
    made = FORMATS[name]
    return digest_document(made.encode(read(name, document)))


@pytest.mark.parametrize("name", OPEN_FORMATS)
def test_an_unknown_field_is_kept_wherever_it_is_signed(name: str) -> None:
    for place in list_objects(name):
        document = grown(name, {"a": [1, None, True]}, place=place)
        found = read(name, document)
        assert [(one.place, one.value) for one in found.unread] == [
            ((*place, "later"), '{"a":[1,null,true]}')
        ]
        assert digest_read(name, document) == digest_document(document)
        assert digest_read(name, document) != digest_document(SAMPLES[name])


@pytest.mark.parametrize("name", CLOSED_FORMATS)
def test_an_unknown_field_is_refused_wherever_nobody_signed_it(name: str) -> None:
    for place in list_objects(name):
        refuse(name, grown(name, 1, place=place), "'later' is not known")


@pytest.mark.parametrize("name", ["record-1", "record-2"])
def test_a_claim_is_closed_inside_an_open_record(name: str) -> None:
    refuse(name, grown(name, 1, place=("claim",)), "'later' is not known")


@pytest.mark.parametrize("name", ["record", "disclosure", "rights", "lineage"])
def test_a_dossier_tells_what_is_unread_in_which_document(name: str) -> None:
    found = read("dossier-2", grown("dossier-2", 7, place=(name,)))
    assert [one.name for one in found.unread[name]] == ["later"]
    assert set(found.unread) == {name}
    assert read("dossier-2", SAMPLES["dossier-2"]).unread == {}


@pytest.mark.parametrize("name", PARSERS)
def test_a_doubled_key_is_refused(name: str) -> None:
    text = json.dumps(SAMPLES[name])
    field = next(iter(SAMPLES[name]))
    doubled = text[:-1] + f', "{field}": {json.dumps(SAMPLES[name][field])}}}'
    with pytest.raises(MalformedDocumentError, match="twice"):
        PARSERS[name](parse_document(doubled.encode(), what="it"))
    PARSERS[name](parse_document(text.encode(), what="it"))


def test_a_doubled_key_inside_an_unknown_value_is_refused() -> None:
    text = json.dumps(grown("rights-2", "HERE"))
    with pytest.raises(MalformedDocumentError, match="twice"):
        parse_document(text.replace('"HERE"', '{"a": 1, "a": 1}').encode(), what="it")
    parse_document(text.replace('"HERE"', '{"a": 1, "b": 1}').encode(), what="it")


def nested(levels: int, opening: str = "[", closing: str = "]") -> Any:
    return json.loads(opening * levels + "1" + closing * levels)


@pytest.mark.parametrize("name", OPEN_FORMATS)
@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
def test_an_unknown_value_may_be_nested_so_deep_and_no_deeper(
    name: str, brackets: tuple[str, str]
) -> None:
    read(name, grown(name, nested(UNREAD_NESTING_MAX, *brackets)))
    refuse(name, grown(name, nested(UNREAD_NESTING_MAX + 1, *brackets)), "levels")


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
def test_a_hundred_thousand_brackets_are_refused(brackets: tuple[str, str]) -> None:
    deep = brackets[0] * 100_000 + "1" + brackets[1] * 100_000
    text = json.dumps(grown("rights-2", "HERE")).replace('"HERE"', deep)
    with pytest.raises(MalformedDocumentError, match="not valid JSON"):
        parse_document(text.encode(), what="it")


@pytest.mark.parametrize("name", OPEN_FORMATS)
def test_an_unknown_value_may_be_so_long_and_no_longer(name: str) -> None:
    longest = "x" * (UNREAD_LENGTH_MAX - 2)
    read(name, grown(name, longest))
    refuse(name, grown(name, longest + "x"), "characters")
    refuse(name, grown(name, [1] * (UNREAD_LENGTH_MAX // 2 + 1)), "characters")


@pytest.mark.parametrize("name", OPEN_FORMATS)
def test_so_many_unknown_fields_are_kept_and_no_more(name: str) -> None:
    document = SAMPLES[name] | {f"later{number}": number for number in range(UNREAD_MAX)}
    assert len(read(name, document).unread) == UNREAD_MAX
    refuse(name, document | {"later": 1}, f"only {UNREAD_MAX}")


def test_unknown_fields_are_counted_in_all_objects_together() -> None:
    document = SAMPLES["rights-2"] | {f"later{number}": 1 for number in range(UNREAD_MAX)}
    refuse("rights-2", put(document, ("titles", 0, "later"), 1), f"only {UNREAD_MAX}")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (1.5, 1),
        ([1.0], [1]),
        ({"a": 1e300}, {"a": 10**15}),
        (INTEGER_MAX + 1, INTEGER_MAX),
        (-INTEGER_MAX - 1, -INTEGER_MAX),
        ({"ä": 1}, {"a": "ä"}),
        ([{"子": 1}], [{"": "子"}]),
        ({"x" * (UNREAD_NAME_LENGTH_MAX + 1): 1}, {"x" * UNREAD_NAME_LENGTH_MAX: 1}),
    ],
)
@pytest.mark.parametrize("name", OPEN_FORMATS)
def test_an_unknown_value_has_one_canonical_form(name: str, wrong: object, right: object) -> None:
    refuse(name, grown(name, wrong), "canonical form")
    document = grown(name, right)
    assert digest_read(name, document) == digest_document(document)


@pytest.mark.parametrize("name", OPEN_FORMATS)
def test_the_name_of_an_unknown_field_is_short_ascii(name: str) -> None:
    for right in ("", "a b", "\n", '"', "x" * UNREAD_NAME_LENGTH_MAX):
        assert read(name, grown(name, 1, field=right)).unread[0].place == (right,)
    for wrong in ("ä", "x" * (UNREAD_NAME_LENGTH_MAX + 1)):
        refuse(name, grown(name, 1, field=wrong), "canonical form")


@pytest.mark.parametrize("half", [r"\ud800", r"\udfff", r"a\uDBFFb", r"\udc00\ud800"])
def test_half_a_character_is_refused_wherever_it_stands(half: str) -> None:
    text = json.dumps(grown("rights-2", {"KEY": "VALUE"}))
    for word in ("KEY", "VALUE"):
        with pytest.raises(MalformedDocumentError, match="not valid JSON"):
            parse_document(text.replace(word, half).encode(), what="it")
        parse_document(text.replace(word, r"\ud83d\udc08").encode(), what="it")


def test_infinity_and_endless_numbers_are_refused() -> None:
    text = json.dumps(grown("rights-2", "HERE"))
    for wrong in ("NaN", "Infinity", "-Infinity", "9" * 5_000):
        with pytest.raises(MalformedDocumentError, match="not valid JSON"):
            parse_document(text.replace('"HERE"', wrong).encode(), what="it")
    fields = parse_document(text.replace('"HERE"', "1e999").encode(), what="it")
    with pytest.raises(MalformedDocumentError, match="canonical form"):
        PARSERS["rights-2"](fields)


@pytest.mark.parametrize("name", [name for name in PARSERS if "schema" in SAMPLES[name]])
def test_another_version_is_refused_with_those_that_are_read(name: str) -> None:
    schema, _, number = SAMPLES[name]["schema"].partition("/")
    for wrong in (
        f"{schema}/3",
        f"{schema}/01",
        f"{schema}",
        f"x{schema}/1",
        f"{schema}/{number}\n",
    ):
        refuse(name, SAMPLES[name] | {"schema": wrong}, rf"must be .*{schema}/1|{schema}/2")
    refuse(name, SAMPLES[name] | {"schema": 2}, "text")
    read(name, SAMPLES[name] | {"schema": f"{schema}/{number}"})


def test_what_says_another_version_than_it_has_is_refused() -> None:
    refuse("rights-2", SAMPLES["rights-2"] | {"schema": "titledeed.rights/1"}, "'title' is missing")
    refuse("record-2", put(SAMPLES["record-2"], ("claim",), SAMPLES["claim-1"]), "another version")
    refuse("record-1", put(SAMPLES["record-1"], ("claim",), SAMPLES["claim-2"]), "another version")
    refuse("claim-2", without("claim-2", "schema"), "'lineage_sha256' is not known|not known")


def test_a_lineage_goes_with_a_claim_that_signs_one() -> None:
    refuse("dossier-2", without("dossier-2", "lineage"), "'lineage' must be there")
    first = SAMPLES["dossier-1"] | {"schema": "titledeed.dossier/1"}
    refuse("dossier-1", first | {"lineage": {"schema": "titledeed.lineage/1"}}, "no other")
    read("dossier-1", first)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("disclosure-2", ("tools",)),
        ("disclosure-2", ("human_oversight",)),
        ("disclosure-2", ("tools", 0, "provider")),
        ("rights-2", ("terms",)),
        ("rights-2", ("consents",)),
        ("rights-2", ("holders", 0, "name")),
        ("lineage-1", ("sources",)),
        ("lineage-1", ("sources", 0, "language")),
        ("record-2", ("credential",)),
        ("dossier-2", ("fingerprints",)),
        ("dossier-2", ("manifest_store",)),
        ("bundle-2", ("logs",)),
        ("bundle-2", ("anchors", 0, "state_proof")),
        ("bundle-2", ("anchors", 0, "timestamp_token")),
        ("bundle-2", ("words",)),
        ("log-1", ("state_proof",)),
        ("word-1", ("keys",)),
        ("word-1", ("offset",)),
        ("snapshot-header-2", ("since",)),
        ("openings-1", ("openings",)),
        ("disclosure-signature-1", ("covers",)),
    ],
)
def test_what_is_not_stated_is_left_out_and_never_null(name: str, place: Place) -> None:
    read(name, without(name, *place))
    refuse(name, put(SAMPLES[name], place, None), "null|array")
    if isinstance(at(SAMPLES[name], place), list):
        refuse(name, put(SAMPLES[name], place, []), "rather than empty")


def test_unread_values_are_read_alike_however_they_were_written() -> None:
    text = json.dumps(grown("rights-2", {"b": 1, "a": "é"}), indent=3, ensure_ascii=True)
    found = PARSERS["rights-2"](parse_document(text.encode(), what="it"))
    assert found.unread[0].value == '{"a":"é","b":1}'
    assert found == read("rights-2", json.loads(encode_document(FORMATS["rights-2"].encode(found))))
