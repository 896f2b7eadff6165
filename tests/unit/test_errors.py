from __future__ import annotations

import inspect
import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from error_classes import list_errors

from titledeed.canonical.documents import parse_document
from titledeed.errors import (
    ChainMismatchError,
    ClaimSignatureError,
    MalformedDocumentError,
    MediaTooLargeError,
    NotFoundError,
    TitledeedError,
    UnreadableInputError,
)
from titledeed.media.digests import digest_file
from titledeed.media.limits import MediaLimits
from titledeed.policy.packs import load_pack


@pytest.mark.parametrize("kind", list(list_errors()))
def test_every_error_can_be_raised_with_words_alone(kind: type[TitledeedError]) -> None:
    error = kind("it failed", next_step="Try again.")
    assert (str(error), error.args, error.next_step) == ("it failed", ("it failed",), "Try again.")
    assert error.data == {}


@pytest.mark.parametrize("kind", list(list_errors()))
def test_every_annotated_attribute_is_taken_by_the_constructor(kind: type[TitledeedError]) -> None:
    # A class without its decorator would declare attributes and refuse them.
    declared = set(inspect.get_annotations(kind))
    own = {"code", "retryable", "message", "next_step"}
    assert declared - own <= set(kind.data_names())


def test_data_holds_what_is_known_as_values_for_json() -> None:
    error = UnreadableInputError("it cannot be read", path=Path("clip.mp4"))
    assert error.path == Path("clip.mp4")
    assert json.loads(json.dumps(error.data)) == {"path": "clip.mp4"}


def test_data_stays_with_an_error_that_is_copied_or_carried_to_another_process() -> None:
    error = ChainMismatchError("another chain", what="chain id", expected=1, found=31337)
    for copy in (replace(error, message="still another"), pickle.loads(pickle.dumps(error))):
        assert copy.data == {"what": "chain id", "expected": 1, "found": 31337}
    assert str(replace(error, message="still another")) == "still another"


def test_two_errors_of_the_same_words_stay_two() -> None:
    assert ClaimSignatureError("x") != ClaimSignatureError("x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError) as caught:
        digest_file(tmp_path / "no.mp4")
    assert caught.value.path == tmp_path / "no.mp4"


def test_a_limit_comes_with_its_setting_and_what_was_found() -> None:
    limits = MediaLimits(size_bytes_max=10, pixels_max=10, duration_s_max=10)
    with pytest.raises(MediaTooLargeError) as caught:
        limits.check_size(11)
    assert caught.value.data == {"limit": 10, "size": 11, "setting": "media.size_bytes_max"}


def test_a_document_tells_the_place() -> None:
    fields = parse_document(b'{"a": {"b": 1}}', what="the bundle").child("a")
    with pytest.raises(MalformedDocumentError) as caught:
        fields.text("b")
    assert caught.value.place == "the bundle.a: b"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(NotFoundError) as caught:
        load_pack("no-such-pack")
    assert (caught.value.what, caught.value.name) == ("rule_pack", "no-such-pack")
