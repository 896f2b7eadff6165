"""The disclosure of one asset: the document behind a Claim's disclosure digest."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word, leave_out, put_back
from titledeed.models.disclosure import (
    AITool,
    AssetDisclosure,
    DigitalSourceType,
    Hint,
    HumanOversight,
    PromptCommitment,
)
from titledeed.models.primitives import Keccak256

DISCLOSURE: Final = "titledeed.disclosure"
SOURCE_TYPE_LENGTH_MAX: Final = 300
TOOLS_MAX: Final = 100
PROMPTS_MAX: Final = 1_000
HINTS_MAX: Final = 1_000


def encode_disclosure(disclosure: AssetDisclosure) -> dict[str, Json]:
    """JSON form, in the version in which it was made."""
    encode = _encode_first if disclosure.version == 1 else _encode
    return put_back(encode(disclosure), disclosure.unread)


def parse_disclosure(fields: Fields) -> AssetDisclosure:
    """Inverse of ``encode_disclosure``; keeps what it does not know.

    Raises:
        MalformedDocumentError: a field is missing or of the wrong form.
    """
    unread = fields.keep_unread()
    version = fields.version(DISCLOSURE, (1, 2))
    disclosure = _parse_first(fields) if version == 1 else _parse(fields)
    fields.done()
    return replace(disclosure, unread=tuple(unread))


def _encode(disclosure: AssetDisclosure) -> dict[str, Json]:
    return leave_out(
        {
            "schema": f"{DISCLOSURE}/2",
            "digital_source_type": str(disclosure.source_type),
            "tools": [_encode_tool(tool) for tool in disclosure.tools],
            "human_oversight": disclosure.oversight and str(disclosure.oversight),
            "scientific_domain": disclosure.scientific_domain,
            "prompts": [
                {"role": prompt.role, "commitment": hex_word(prompt.commitment)}
                for prompt in disclosure.prompts
            ],
            "hints": [
                {"origin": hint.origin, "name": hint.name, "value": hint.value}
                for hint in disclosure.hints
            ],
        }
    )


def _parse(fields: Fields) -> AssetDisclosure:
    return AssetDisclosure(
        source_type=fields.phrase("digital_source_type", length_max=SOURCE_TYPE_LENGTH_MAX),
        tools=tuple(map(_parse_tool, fields.listed("tools", items_max=TOOLS_MAX))),
        oversight=fields.stated("human_oversight", fields.term),
        scientific_domain=fields.stated("scientific_domain", fields.phrase),
        prompts=tuple(map(_parse_prompt, fields.listed("prompts", items_max=PROMPTS_MAX))),
        hints=tuple(map(_parse_hint, fields.listed("hints", items_max=HINTS_MAX))),
    )


def _encode_tool(tool: AITool) -> dict[str, Json]:
    return leave_out(
        {
            "provider": tool.provider,
            "model": tool.model,
            "version": tool.version,
            "identifier": tool.identifier,
            "model_type": tool.model_type,
        }
    )


def _parse_tool(fields: Fields) -> AITool:
    tool = AITool(
        provider=fields.stated("provider", fields.phrase),
        model=fields.stated("model", fields.phrase),
        version=fields.stated("version", fields.phrase),
        identifier=fields.stated("identifier", fields.phrase),
        model_type=fields.stated("model_type", fields.term),
    )
    if tool == AITool() and not fields.has_more:
        raise fields.fail("model", "or another field of the tool must be stated")
    fields.done()
    return tool


def _parse_prompt(fields: Fields) -> PromptCommitment:
    prompt = PromptCommitment(fields.term("role"), Keccak256(fields.word("commitment")))
    fields.done()
    return prompt


def _parse_hint(fields: Fields) -> Hint:
    hint = Hint(fields.phrase("origin"), fields.term("name"), fields.text("value"))
    fields.done()
    return hint


def _encode_first(disclosure: AssetDisclosure) -> dict[str, Json]:
    (tool,) = disclosure.tools or (AITool(),)
    return {
        "schema": f"{DISCLOSURE}/1",
        "digital_source_type": str(disclosure.source_type),
        "model_name": tool.model,
        "model_identifier": tool.identifier,
        "human_oversight": disclosure.oversight and str(disclosure.oversight),
    }


def _parse_first(fields: Fields) -> AssetDisclosure:
    source_type = fields.text("digital_source_type")
    oversight = fields.nullable("human_oversight", fields.text)
    if source_type not in set(DigitalSourceType):
        raise fields.fail("digital_source_type", "is not an IPTC digital source type")
    if oversight is not None and oversight not in set(HumanOversight):
        raise fields.fail("human_oversight", "is not a C2PA oversight level")
    tool = AITool(
        model=fields.nullable("model_name", fields.text),
        identifier=fields.nullable("model_identifier", fields.text),
    )
    tools = () if tool == AITool() else (tool,)
    return AssetDisclosure(source_type, tools, oversight, version=1)
