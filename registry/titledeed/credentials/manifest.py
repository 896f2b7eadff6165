"""The manifest definition: what a signed copy asserts. Pure.

Every assertion is marked ``created``: only those are attributed to the signer (C2PA 2.4,
"Claims"); the library would gather them otherwise.
"""

from __future__ import annotations

from typing import Final

from titledeed.canonical.claims import encode_signed_claim
from titledeed.canonical.documents import Json
from titledeed.models.disclosure import (
    AITool,
    AssetDisclosure,
    is_generative,
    source_type_uri,
)
from titledeed.ports import ManifestDraft, SoftBinding

CLAIM_LABEL: Final = "org.titledeed.claim"
ACTIONS_LABEL: Final = "c2pa.actions.v2"
AI_DISCLOSURE_LABEL: Final = "c2pa.ai-disclosure"
SOFT_BINDING_LABEL: Final = "c2pa.soft-binding"
GENERATOR_NAME: Final = "Titledeed"
PARENT_LABEL: Final = "parent"
"""Names the ingredient inside the definition only."""


def build_definition(
    draft: ManifestDraft, *, generator_version: str, has_parent: bool
) -> dict[str, Json]:
    """The definition that the library signs.

    Args:
        draft: what is to be said.
        generator_version: of Titledeed.
        has_parent: whether the source carries credentials of its own. Then the asset was opened,
            not created: a manifest begins with one or the other (C2PA 2.4, "Actions").
    """
    assertions = [
        _created(
            ACTIONS_LABEL,
            {
                "actions": [_inception(draft.disclosure, has_parent=has_parent)],
                "allActionsIncluded": True,
            },
        )
    ]
    if says_ai(draft.disclosure):
        assertions.append(_created(AI_DISCLOSURE_LABEL, _ai_disclosure(draft.disclosure)))
    assertions += [_soft_binding(binding) for binding in draft.soft_bindings]
    assertions.append(_created(CLAIM_LABEL, encode_signed_claim(draft.signed_claim)))
    return {
        "claim_generator_info": [{"name": GENERATOR_NAME, "version": generator_version}],
        "title": draft.title,
        "assertions": list[Json](assertions),
    }


def build_parent(draft: ManifestDraft) -> dict[str, Json]:
    """The ingredient that keeps the source's own credentials."""
    return {"title": draft.title, "relationship": "parentOf", "label": PARENT_LABEL}


def says_ai(disclosure: AssetDisclosure) -> bool:
    """Whether there is anything to say about AI; no assertion must not read as "no AI"."""
    return is_generative(disclosure.source_type) or bool(disclosure.tools or disclosure.oversight)


def _inception(disclosure: AssetDisclosure, *, has_parent: bool) -> dict[str, Json]:
    action: dict[str, Json] = {"digitalSourceType": source_type_uri(disclosure.source_type)}
    if has_parent:
        action |= {"action": "c2pa.opened", "parameters": {"ingredientIds": [PARENT_LABEL]}}
    else:
        action["action"] = "c2pa.created"
    if disclosure.tools and disclosure.tools[0].name and not has_parent:
        action["softwareAgent"] = {"name": disclosure.tools[0].name}
    return action


def _ai_disclosure(disclosure: AssetDisclosure) -> dict[str, Json]:
    """Of the first tool: the assertion speaks of one model."""
    tool = disclosure.tools[0] if disclosure.tools else AITool()
    data: dict[str, Json] = {"modelType": tool.model_type or "c2pa.types.model"}
    if tool.model:
        data["modelName"] = tool.model
    if tool.identifier:
        data["modelIdentifier"] = tool.identifier
    if disclosure.oversight:
        data["contentProfile"] = {"humanOversightLevel": str(disclosure.oversight)}
    return data


def _soft_binding(binding: SoftBinding) -> dict[str, Json]:
    blocks: list[Json] = [{"scope": {}, "value": binding.value}]
    return _created(SOFT_BINDING_LABEL, {"alg": binding.algorithm, "blocks": blocks})


def _created(label: str, data: dict[str, Json]) -> dict[str, Json]:
    return {"label": label, "data": data, "created": True}
