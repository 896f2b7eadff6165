"""What a manifest definition asserts."""

from __future__ import annotations

import pytest
from credential_builders import BINDINGS, GENERATED, build_draft

from titledeed.canonical.claims import encode_signed_claim
from titledeed.canonical.documents import Json
from titledeed.credentials.json_view import objects, text
from titledeed.credentials.manifest import build_definition, build_parent
from titledeed.models.asset import MediaType
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType, HumanOversight

CAPTURED = AssetDisclosure(DigitalSourceType.DIGITAL_CAPTURE)


def _definition(
    disclosure: AssetDisclosure = GENERATED, *, has_parent: bool = False
) -> dict[str, Json]:
    draft = build_draft(MediaType.JPEG, disclosure=disclosure)
    return build_definition(draft, generator_version="9.9", has_parent=has_parent)


def _data(definition: dict[str, Json], label: str) -> list[object]:
    return [
        item["data"] for item in objects(definition, "assertions") if text(item, "label") == label
    ]


def test_every_assertion_is_attributed_to_the_signer() -> None:
    assertions = objects(_definition(), "assertions")
    assert len(assertions) == 3 + len(BINDINGS)
    assert all(assertion["created"] is True for assertion in assertions)


def test_generated_work_is_created_by_its_model() -> None:
    assert _data(_definition(), "c2pa.actions.v2") == [
        {
            "actions": [
                {
                    "action": "c2pa.created",
                    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
                    "trainedAlgorithmicMedia",
                    "softwareAgent": {"name": "Test Model"},
                }
            ],
            "allActionsIncluded": True,
        }
    ]


def test_work_with_credentials_of_its_own_was_opened_and_not_created() -> None:
    definition = _definition(has_parent=True)
    assert _data(definition, "c2pa.actions.v2") == [
        {
            "actions": [
                {
                    "action": "c2pa.opened",
                    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
                    "trainedAlgorithmicMedia",
                    "parameters": {"ingredientIds": ["parent"]},
                }
            ],
            "allActionsIncluded": True,
        }
    ]
    parent = build_parent(build_draft(MediaType.JPEG))
    assert (parent["label"], parent["relationship"]) == ("parent", "parentOf")


def test_ai_disclosure_names_model_and_oversight() -> None:
    assert _data(_definition(), "c2pa.ai-disclosure") == [
        {
            "modelType": "c2pa.types.model",
            "modelName": "Test Model",
            "modelIdentifier": "pkg:huggingface/test/model@1",
            "contentProfile": {"humanOversightLevel": "prompt_guided"},
        }
    ]


@pytest.mark.parametrize(
    ("disclosure", "expected"),
    [
        (CAPTURED, []),
        (AssetDisclosure(DigitalSourceType.DIGITAL_CREATION), []),
        (
            AssetDisclosure(DigitalSourceType.COMPOSITE_SYNTHETIC),
            [{"modelType": "c2pa.types.model"}],
        ),
        (
            AssetDisclosure(
                DigitalSourceType.ALGORITHMICALLY_ENHANCED, oversight=HumanOversight.HUMAN_VALIDATED
            ),
            [
                {
                    "modelType": "c2pa.types.model",
                    "contentProfile": {"humanOversightLevel": "human_validated"},
                }
            ],
        ),
    ],
)
def test_ai_disclosure_is_attached_only_where_something_is_said(
    disclosure: AssetDisclosure, expected: list[Json]
) -> None:
    assert _data(_definition(disclosure), "c2pa.ai-disclosure") == expected


def test_each_fingerprint_is_a_soft_binding_of_the_whole_work() -> None:
    assert _data(_definition(), "c2pa.soft-binding") == [
        {"alg": "org.example.short", "blocks": [{"scope": {}, "value": "AQID"}]},
        {"alg": "org.example.long", "blocks": [{"scope": {}, "value": "/+8="}]},
    ]


def test_claim_is_embedded_in_its_canonical_form() -> None:
    expected = encode_signed_claim(build_draft(MediaType.JPEG).signed_claim)
    assert _data(_definition(), "org.titledeed.claim") == [expected]


def test_generator_is_named_with_its_version() -> None:
    assert _definition()["claim_generator_info"] == [{"name": "Titledeed", "version": "9.9"}]
