"""Bundles are checked offline: every field is covered, and each forgery fails where it should."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from builders import build_address, build_dossier
from evidence_builders import (
    build_sound_bundles,
    failing,
)
from json_places import at, put

from titledeed.canonical.documents import encode_document
from titledeed.canonical.evidence.bundles import encode_bundle
from titledeed.errors import MalformedDocumentError, VerificationError
from titledeed.models.asset import MediaType
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import ChainKind
from titledeed.proofs.bundles import CheckResult, read_bundle_file
from titledeed.services.evidence import check_bundle, require_bundle

Path = tuple[str | int, ...]
Place = tuple[str, ...]

REFUSED: Final = "refused by the parser"
BY_HAND: Final = "named by hand"

OWN_TIME: Final = ("anchors", 0, "anchor", "block_timestamp")
RECORD_CLAIMED_AT: Final = ("dossier", "record", "claim", "claimed_at")

ANCHOR_GUARDS: Final[dict[Place, str]] = {
    ("proof",): "inclusion",
    ("anchor", "root"): "inclusion",
    ("anchor", "size"): "inclusion",
    ("anchor", "caller"): "transaction",
    ("anchor", "transaction"): "transaction",
    ("anchor", "sequence"): "state",
    ("anchor", "block_timestamp"): "state",
    ("raw_transaction",): "transaction",
    ("state_proof",): "state",
    ("timestamp_token",): "timestamp",
}
OPEN: Final[tuple[Path, ...]] = (
    ("dossier", "record"),
    ("dossier", "disclosure"),
    ("dossier", "rights"),
    ("dossier", "lineage"),
)
"""Signed documents, whose unknown fields are kept; the claim in the record is closed."""

# The longest prefix counts. What no offline check can cover is told to the reader instead.
GUARDS: Final[dict[Place, str]] = {
    ("schema",): REFUSED,
    ("dossier", "schema"): REFUSED,
    ("dossier", "registration_id"): "documents",
    ("dossier", "record"): "inclusion",
    ("dossier", "record", "schema"): REFUSED,
    ("dossier", "record", "claim"): "claim_signature",
    ("dossier", "salts"): "inclusion",
    ("dossier", "fingerprints"): "documents",
    ("dossier", "disclosure"): "documents",
    ("dossier", "disclosure", "schema"): REFUSED,
    ("dossier", "record", "claim", "schema"): REFUSED,
    ("dossier", "rights"): "documents",
    ("dossier", "rights", "schema"): REFUSED,
    ("dossier", "lineage"): "documents",
    ("dossier", "lineage", "schema"): REFUSED,
    # Shares that do not add up are no statement at all.
    ("dossier", "rights", "holders", "0", "share_ppm"): REFUSED,
    ("dossier", "rights", "holders", "1", "share_ppm"): REFUSED,
    ("dossier", "manifest_store"): "documents",
    ("anchors", "0"): "chain",
    ("anchors", "0", "chain", "kind"): "log",
    ("anchors", "0", "chain", "genesis_hash"): "log",
    **{
        ("anchors", str(at), "anchor", name): BY_HAND
        for at in range(2)
        for name in ("block_number", "block_hash")
    },
    **{
        ("anchors", str(at), *place): f"{check}{number}"
        for at, number in enumerate(("", "[1]"))
        for place, check in ANCHOR_GUARDS.items()
    },
    ("anchors", "1", "chain"): BY_HAND,
    ("anchors", "1", "chain", "chain_id"): "transaction[1]",
    ("anchors", "1", "chain", "contract"): "transaction[1]",
    ("logs", "0"): "log",
    ("logs", "0", "schema"): REFUSED,
    # Of a contract or version that nobody knows, nothing is said.
    ("logs", "0", "contract"): BY_HAND,
    ("logs", "0", "version"): BY_HAND,
    ("words", "0"): "word",
    ("words", "0", "schema"): REFUSED,
    ("words", "0", "contract"): BY_HAND,
    ("words", "0", "version"): BY_HAND,
}


@pytest.fixture(scope="module")
def document(bundle: Bundle) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(encode_document(encode_bundle(bundle)))
    return parsed


def read(document: object) -> Bundle:
    return read_bundle_file(json.dumps(document).encode())


def leaves(value: object, path: Path = ()) -> Iterator[Path]:
    """Where every value that is no object or array stands."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, (*path, key))
    else:
        yield path


def objects(value: object, path: Path = ()) -> Iterator[Path]:
    """Where every object stands, the outermost among them."""
    if isinstance(value, dict):
        yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from objects(item, (*path, key))


def guard_of(path: Path) -> str:
    names = tuple(str(key) for key in path)
    place = max((p for p in GUARDS if names[: len(p)] == p), key=len)
    return GUARDS[place]


def corrupt(path: Path, value: object) -> object:
    """Another value of the same form."""
    if isinstance(value, int):
        return value + 1
    if path[-2:] == ("chain", "kind"):
        (other,) = set(ChainKind) - {value}
        return other.value
    if path[-1] == "digital_source_type":
        return "digitalCapture"
    if path[-1] == "human_oversight":
        return "human_validated"
    if path[-1] == "media_type":
        return MediaType.MOV.value
    if path[-1] in {"claimant", "contract", "recovery_key", "account", "caller"}:
        return build_address(123)
    assert isinstance(value, str)
    if path[-1] == "timestamp_token":
        # Its last byte belongs to the signature.
        raw = base64.b64decode(value)
        return base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode("ascii")
    if path[-1] == "registration_id":
        return value[:-1] + ("b" if value[-1] != "b" else "a")
    # The first digit of hex and base64 alike; text becomes other text.
    start = 2 if value.startswith("0x") else 0
    return value[:start] + ("b" if value[start] != "b" else "a") + value[start + 1 :]


def test_a_sound_bundle_holds_and_survives_its_own_encoding(bundle: Bundle) -> None:
    report = check_bundle(read_bundle_file(encode_document(encode_bundle(bundle))))
    assert report.bundle == bundle
    assert report.holds
    assert [check.name for check in report.checks] == [
        "claim_signature",
        "documents",
        "chain",
        "inclusion",
        "transaction",
        "state",
        "timestamp",
        "inclusion[1]",
        "transaction[1]",
        "state[1]",
        "timestamp[1]",
        "log",
        "word",
    ]
    assert {check.result for check in report.checks} == {CheckResult.HOLDS}
    require_bundle(bundle)


def test_every_field_of_a_bundle_is_guarded(
    bundle: Bundle, document: dict[str, Any], subtests: pytest.Subtests
) -> None:
    """Each field in turn gets another value: the check that guards it must fail."""
    seen = set()
    for path in leaves(document):
        with subtests.test("corrupted", path=path):
            guard = guard_of(path)
            seen.add(guard)
            forged = put(document, path, corrupt(path, at(document, path)))
            if guard == REFUSED:
                with pytest.raises(MalformedDocumentError):
                    read(forged)
                continue
            report = check_bundle(read(forged))
            assert report.bundle != bundle
            if guard == BY_HAND:
                assert report.holds
                assert report.by_hand != check_bundle(bundle).by_hand
            else:
                assert guard in failing(report)
                with pytest.raises(VerificationError) as caught:
                    require_bundle(report.bundle)
                assert caught.value.check in failing(report)
                assert caught.value.registration_id == report.bundle.dossier.registration_id
    assert seen == set(GUARDS.values())


def test_no_field_may_be_null_or_of_another_kind(
    document: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for path in leaves(document):
        other: object = "" if isinstance(at(document, path), int) else 7
        wrong: list[object] = [[], {}, True, 1.5, other, None]
        for value in wrong:
            with (
                subtests.test("of another kind", path=path, value=value),
                pytest.raises(MalformedDocumentError),
            ):
                read(put(document, path, value))


def test_a_field_that_is_left_out_shows(
    bundle: Bundle, document: dict[str, Any], subtests: pytest.Subtests
) -> None:
    """What must be there is refused; what need not be there is another bundle."""
    refused = 0
    for path in leaves(document):
        if not isinstance(path[-1], str):
            continue
        without = copy.deepcopy(document)
        del at(without, path[:-1])[path[-1]]
        with subtests.test("missing", path=path):
            try:
                found = read(without)
            except MalformedDocumentError:
                refused += 1
                continue
            assert path[-1] == "timestamp_token" or not check_bundle(found).holds
    assert refused > 60


def test_an_unknown_field_is_refused_or_kept_and_shown(
    document: dict[str, Any], subtests: pytest.Subtests
) -> None:
    """Kept where a signature covers it; here it does not, since it was added afterwards."""
    places = list(objects(document))
    assert len(places) >= 40
    kept = 0
    for path in places:
        is_open = any(path[: len(place)] == place for place in OPEN) and "claim" not in path
        forged = put(document, (*path, "surprise"), 1)
        with subtests.test("surprised", path=path):
            if not is_open:
                with pytest.raises(MalformedDocumentError, match="surprise"):
                    read(forged)
                continue
            kept += 1
            report = check_bundle(read(forged))
            assert failing(report) & {"documents", "inclusion"}
            ((field,),) = report.bundle.dossier.unread.values()
            assert (field.name.rpartition(".")[2] or field.name) == "surprise"
            assert field.value == "1"
    assert kept >= 15


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"\x00\x01",
        b"[" * 100_000,
        json.dumps({"schema": "titledeed.bundle/3"}).encode(),
    ],
    ids=["empty", "no field", "no text", "nested", "of another version"],
)
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocumentError):
        read_bundle_file(data)


def test_half_a_character_is_no_text(document: dict[str, Any]) -> None:
    """A lone surrogate has no UTF-8 form, so no digest of it exists."""
    for path in [
        ("dossier", "rights", "titles", 0, "text"),
        ("dossier", "rights", "contributors", 0, "name"),
    ]:
        with pytest.raises(MalformedDocumentError):
            read(put(document, path, "\ud800"))


def test_a_whole_character_may_be_written_as_two_escapes(bundle: Bundle) -> None:
    dossier = build_dossier(5, title="\U0001f3ac")
    (sound,) = build_sound_bundles([dossier])
    text = json.dumps(encode_bundle(sound))
    assert "\\ud83c" in text
    assert check_bundle(read_bundle_file(text.encode())).holds


def test_only_utf_8_is_read(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocumentError):
        read_bundle_file(json.dumps(document).encode("utf-16"))


@pytest.mark.parametrize("path", [OWN_TIME, RECORD_CLAIMED_AT])
def test_a_time_that_no_calendar_holds_is_refused(document: dict[str, Any], path: Path) -> None:
    last = 253_402_300_799
    assert read(put(document, path, last))
    with pytest.raises(MalformedDocumentError, match=str(path[-1])):
        read(put(document, path, last + 1))


def test_base64_has_one_form(document: dict[str, Any]) -> None:
    """``QQ==`` and ``QR==`` decode to the same byte."""
    path = ("dossier", "manifest_store")
    with pytest.raises(MalformedDocumentError, match="manifest_store"):
        read(put(document, path, "QR=="))
