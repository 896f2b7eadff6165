"""Canonical documents: what is written is read back, and no byte of evidence can be changed."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from canonical_formats import FORMATS, OPEN_FORMATS, extended
from canonical_values import dossiers, fingerprints
from evidence_builders import build_sound_bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from titledeed.canonical.documents import INTEGER_MAX, Json, encode_document, parse_document
from titledeed.canonical.evidence.bundles import encode_bundle
from titledeed.canonical.evidence.dossiers import encode_dossier, parse_dossier
from titledeed.canonical.fingerprints import (
    digest_fingerprints,
    encode_fingerprint,
    parse_fingerprint,
)
from titledeed.errors import MalformedDocumentError
from titledeed.models.fingerprint import FingerprintCode
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle

LARGE: Final = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.parametrize("name", FORMATS)
@settings(LARGE, max_examples=60)
@given(data=st.data())
def test_what_is_written_is_read_back(name: str, data: st.DataObject) -> None:
    made = FORMATS[name]
    value = data.draw(made.values)
    written = encode_document(made.encode(value))
    found = made.parse(parse_document(written, what=name))
    assert found == value
    assert encode_document(made.encode(found)) == written


@pytest.mark.parametrize("name", OPEN_FORMATS)
@settings(LARGE, max_examples=60)
@given(data=st.data())
def test_what_a_later_release_wrote_is_kept(name: str, data: st.DataObject) -> None:
    made = FORMATS[name]
    written = encode_document(data.draw(extended(made)))
    found = made.parse(parse_document(written, what=name))
    assert found.unread
    assert encode_document(made.encode(found)) == written
    assert made.parse(parse_document(encode_document(made.encode(found)), what=name)) == found


@settings(LARGE, max_examples=30)
@given(dossiers, st.data())
def test_a_dossier_keeps_what_is_unread_in_each_document(value: Any, data: st.DataObject) -> None:
    document: dict[str, Any] = dict(encode_dossier(value))
    kept = {"disclosure", "rights", "record", "lineage"} & set(document)
    for name in kept:
        version = document[name]["schema"][-1]
        document[name] = data.draw(extended(FORMATS[f"{name}-{version}"]))
    written = encode_document(document)
    found = parse_dossier(parse_document(written, what="it"))
    assert set(found.unread) == kept
    assert encode_document(encode_dossier(found)) == written


@pytest.mark.parametrize("name", FORMATS)
@settings(LARGE, max_examples=30)
@given(data=st.data())
def test_two_values_are_never_written_alike(name: str, data: st.DataObject) -> None:
    made = FORMATS[name]
    one, other = data.draw(made.values), data.draw(made.values)
    assert (one == other) == (
        encode_document(made.encode(one)) == encode_document(made.encode(other))
    )


@pytest.mark.parametrize("name", OPEN_FORMATS)
@settings(LARGE, max_examples=30)
@given(data=st.data())
def test_two_unread_documents_are_read_alike_only_if_they_are(
    name: str, data: st.DataObject
) -> None:
    made = FORMATS[name]
    one, other = (encode_document(data.draw(extended(made))) for _ in range(2))
    found = [made.parse(parse_document(written, what=name)) for written in (one, other)]
    assert (found[0] == found[1]) == (one == other)


@given(fingerprints)
def test_a_fingerprint_is_read_back(code: FingerprintCode) -> None:
    written = encode_document(encode_fingerprint(code))
    assert parse_fingerprint(parse_document(written, what="it")) == code


@given(st.lists(fingerprints, max_size=4), st.lists(fingerprints, max_size=4))
def test_the_digest_of_fingerprints_binds_each_of_them_in_order(
    one: list[FingerprintCode], other: list[FingerprintCode]
) -> None:
    assert (one == other) == (digest_fingerprints(one) == digest_fingerprints(other))


SOUND: Final = build_sound_bundle()
SOUND_BYTES: Final = encode_document(encode_bundle(SOUND))
BY_HAND: Final = check_bundle(SOUND).by_hand


def assert_change_shows(changed: bytes) -> None:
    """A changed bundle is refused, fails a check, or tells something else to compare by hand."""
    try:
        found = read_bundle_file(changed)
    except MalformedDocumentError:
        return
    assert found != SOUND
    report = check_bundle(found)
    assert not report.holds or report.by_hand != BY_HAND


@settings(deadline=None, max_examples=600)
@given(place=st.integers(0, len(SOUND_BYTES) - 1), byte=st.integers(0, 255))
def test_another_byte_anywhere_shows(place: int, byte: int) -> None:
    changed = SOUND_BYTES[:place] + bytes([byte]) + SOUND_BYTES[place + 1 :]
    if changed != SOUND_BYTES:
        assert_change_shows(changed)


@settings(deadline=None, max_examples=300)
@given(
    place=st.integers(0, len(SOUND_BYTES) - 1),
    length=st.integers(0, 3),
    inserted=st.binary(max_size=3),
)
def test_bytes_cut_out_or_put_in_show(place: int, length: int, inserted: bytes) -> None:
    changed = SOUND_BYTES[:place] + inserted + SOUND_BYTES[place + length :]
    if not says_the_same(changed):
        assert_change_shows(changed)


def says_the_same(changed: bytes) -> bool:
    """White space between two fields changes nothing."""
    try:
        same: bool = json.loads(changed) == json.loads(SOUND_BYTES)
    except ValueError:
        return False
    return same


@settings(deadline=None, max_examples=100)
@given(place=st.integers(0, len(SOUND_BYTES) - 1))
def test_a_bundle_cut_short_is_refused(place: int) -> None:
    with pytest.raises(MalformedDocumentError):
        read_bundle_file(SOUND_BYTES[:place])


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        read_bundle_file(data)
    except MalformedDocumentError:
        return
    raise AssertionError("random bytes were taken for a bundle")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_any_document_of_ours_reads_back_as_written(document: dict[str, Json]) -> None:
    written = encode_document(document)
    found = parse_document(written, what="it").rest()
    assert found == document
