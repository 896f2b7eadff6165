"""The strict reader of untrusted documents."""

from __future__ import annotations

import pytest

from titledeed.canonical.documents import Fields, encode_document, parse_document
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
