from __future__ import annotations

import pytest

from titledeed.errors import InvalidRequestError
from titledeed.models.disclosure import DigitalSourceType, HumanOversight
from titledeed_api.schemas.requests import AuditFields, RegistrationFields, describe_form


def test_fields_are_read_from_text() -> None:
    fields = RegistrationFields.parse(
        {
            "source_type": "trainedAlgorithmicMedia",
            "title": "  Two\n lines ",
            "oversight": "prompt_guided",
            "publish": "true",
            "model": "",
        }
    )
    assert fields.source_type is DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
    assert fields.title == "Two lines"
    assert fields.oversight is HumanOversight.PROMPT_GUIDED
    assert fields.publish
    assert fields.model is None


def test_a_registration_is_private_unless_its_claimant_says_otherwise() -> None:
    assert not RegistrationFields.parse({"source_type": "digitalCapture"}).publish


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"source_type": "magic"}, "source_type"),
        ({"source_type": "print", "title": " "}, "title"),
        ({"source_type": "print", "title": "x" * 301}, "title"),
        ({"source_type": "print", "publish": "perhaps"}, "publish"),
        ({"source_type": "print", "oversight": "some"}, "oversight"),
        ({"source_type": "print", "pubilsh": "true"}, "pubilsh"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidRequestError, match=named):
        RegistrationFields.parse(fields)


@pytest.mark.parametrize("pack", ["../secret", "/etc/passwd", "a.yaml", "A"])
def test_a_rule_pack_is_named_and_never_a_path(pack: str) -> None:
    with pytest.raises(InvalidRequestError, match="pack"):
        AuditFields.parse({"pack": pack})


def test_a_form_is_described_with_its_files() -> None:
    described = describe_form(
        AuditFields, {"film": "", "bundles?": ""}, many=frozenset({"bundles"})
    )
    schema = described["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["film"]
    assert schema["properties"]["bundles"]["items"]["format"] == "binary"
    assert "pack" in schema["properties"]
