"""The strict reader of untrusted documents."""

from __future__ import annotations

import pytest

from titledeed.canonical.documents import (
    Fields,
    Json,
    encode_document,
    leave_out,
    parse_document,
    put_back,
)
from titledeed.errors import MalformedDocumentError

WORD = "0x" + "ab" * 32


def fields(**values: object) -> Fields:
    return Fields(values, path="the test")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"7",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"\xff\xfe",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["empty", "array", "number", "cut", "twice", "nan", "no text", "too deep"],
)
def test_what_is_no_plain_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocumentError, match="the thing"):
        parse_document(data, what="the thing")


def test_an_unread_field_is_refused_by_name() -> None:
    document = fields(known="a", surprise=1)
    document.text("known")
    with pytest.raises(MalformedDocumentError, match="surprise"):
        document.done()


def test_a_missing_field_is_refused_by_name() -> None:
    with pytest.raises(MalformedDocumentError, match="'wanted' is missing"):
        fields().text("wanted")


def test_null_and_absent_are_both_no_value() -> None:
    document = fields(a=None)
    assert document.optional("a", document.text) is None
    assert document.optional("b", document.text) is None
    document.done()


@pytest.mark.parametrize("value", [True, 1.0, "1", -1, 2**53, None])
def test_an_integer_is_nothing_else(value: object) -> None:
    with pytest.raises(MalformedDocumentError):
        fields(n=value).integer("n")


@pytest.mark.parametrize(
    "value",
    [WORD[2:], WORD.upper(), WORD[:-2], WORD + "00", "0x", "0x" + "zz" * 32, 7, "0x" + " ab" * 32],
)
def test_a_word_is_32_bytes_of_lower_case_hex(value: object) -> None:
    with pytest.raises(MalformedDocumentError):
        fields(w=value).word("w")


def test_a_word_is_read() -> None:
    assert fields(w=WORD).word("w") == b"\xab" * 32


@pytest.mark.parametrize("value", ["a", "a===", "ä", 5, None])
def test_a_blob_is_base64(value: object) -> None:
    with pytest.raises(MalformedDocumentError):
        fields(b=value).blob("b")


def test_an_empty_blob_is_read() -> None:
    assert fields(b="").blob("b") == b""


def test_lists_are_bounded_and_of_one_kind() -> None:
    with pytest.raises(MalformedDocumentError):
        fields(items=[{}, 1]).children("items")
    with pytest.raises(MalformedDocumentError):
        fields(items=[{}] * 3).children("items", items_max=2)
    with pytest.raises(MalformedDocumentError):
        fields(items=["a", 1]).texts("items")


def test_documents_are_written_as_rfc_8785_asks() -> None:
    assert (
        encode_document({"b": 1, "a": "é\n", "ä": None}) == '{"a":"é\\n","b":1,"ä":null}'.encode()
    )


def test_what_is_not_stated_is_left_out_rather_than_null() -> None:
    document = fields(a=None, b="x")
    assert document.stated("b", document.text) == "x"
    assert document.stated("c", document.text) is None
    with pytest.raises(MalformedDocumentError, match="left out rather than null"):
        document.stated("a", document.text)


def test_what_version_1_leaves_unstated_is_null_and_there() -> None:
    document = fields(a=None, b="x")
    assert document.nullable("a", document.text) is None
    assert document.nullable("b", document.text) == "x"
    document.done()
    with pytest.raises(MalformedDocumentError, match="'a' is missing"):
        fields().nullable("a", document.text)


def test_listed_values_are_some_or_left_out() -> None:
    document = fields(a=[{}], b=[WORD], c=["x"])
    assert len(document.listed("a", items_max=1)) == 1
    assert document.listed_words("b", items_max=1) == (b"\xab" * 32,)
    assert document.listed_terms("c", items_max=1) == ("x",)
    document.done()
    empty = fields(a=[], b=[], c=[])
    assert fields().listed("a", items_max=1) == []
    assert fields().listed_words("a", items_max=1) == ()
    assert fields().listed_terms("a", items_max=1) == ()
    for read in (empty.listed, empty.listed_words, empty.listed_terms):
        for name in "abc":
            with pytest.raises(MalformedDocumentError, match="rather than empty"):
                read(name, items_max=1)


@pytest.mark.parametrize("wrong", [[""], ["x" * 101], [1], "x", [None], ["x", "y"]])
def test_listed_terms_are_terms(wrong: object) -> None:
    with pytest.raises(MalformedDocumentError):
        fields(a=wrong).listed_terms("a", items_max=1)


def test_terms_and_phrases_are_not_empty() -> None:
    assert fields(a="x" * 100).term("a") == "x" * 100
    assert fields(a="x" * 4_096).phrase("a") == "x" * 4_096
    with pytest.raises(MalformedDocumentError, match="must not be empty"):
        fields(a="").term("a")
    with pytest.raises(MalformedDocumentError, match="must not be empty"):
        fields(a="").phrase("a")
    with pytest.raises(MalformedDocumentError, match="100 characters"):
        fields(a="x" * 101).term("a")


def test_a_filled_blob_is_not_empty_and_has_one_form() -> None:
    assert fields(a="YQ==").filled_blob("a") == b"a"
    with pytest.raises(MalformedDocumentError, match="rather than empty"):
        fields(a="").filled_blob("a")
    with pytest.raises(MalformedDocumentError, match="canonical form"):
        fields(a="YR==").filled_blob("a")
    with pytest.raises(MalformedDocumentError, match="at most 1 bytes"):
        fields(a="YWI=").filled_blob("a", length_max=1)


def test_a_version_is_one_of_those_that_are_known() -> None:
    assert fields(schema="a.b/2").version("a.b", (1, 2)) == 2
    for wrong in ("a.b/3", "a.b/", "a.b", "c/2", "a.b/2/2", "a.b/02"):
        with pytest.raises(MalformedDocumentError, match=r"must be a\.b/1 or a\.b/2; a later"):
            fields(schema=wrong).version("a.b", (2, 1))
    with pytest.raises(MalformedDocumentError, match="'schema' is missing"):
        fields().version("a.b", (1,))


def test_the_kind_of_a_document_can_be_asked_before_it_is_read() -> None:
    assert fields(schema="a.b/2").schema == "a.b"
    assert fields(schema=7).schema == fields().schema == fields(schema="a").schema == ""


def test_what_is_kept_says_where_it_stood() -> None:
    document = fields(b={"z": 1, "a": [{"y": {"k": 1}}]}, c=None)
    unread = document.keep_unread()
    child = document.child("b")
    for item in child.children("a"):
        item.done()
    child.done()
    document.done()
    assert [(one.name, one.value) for one in unread] == [
        ("b.a[0].y", '{"k":1}'),
        ("b.z", "1"),
        ("c", "null"),
    ]
    assert put_back({"b": {"a": [{}]}}, unread) == {
        "b": {"z": 1, "a": [{"y": {"k": 1}}]},
        "c": None,
    }


def test_a_closed_part_of_an_open_document_refuses() -> None:
    document = fields(a={"b": 1})
    document.keep_unread()
    with pytest.raises(MalformedDocumentError, match="'b' is not known"):
        document.child("a").done(strict=True)


def test_leaving_out_takes_nulls_and_empty_arrays_alone() -> None:
    document: dict[str, Json] = {"a": None, "b": [], "c": {}, "d": "", "e": 0, "f": False}
    assert leave_out(document) == {"c": {}, "d": "", "e": 0, "f": False}
