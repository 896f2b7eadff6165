"""What the JSON Schemas of our documents are made of; every limit is the code's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from titledeed.canonical.documents import (
    INTEGER_MAX,
    TERM_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    TIMESTAMP_MAX,
    UNREAD_LENGTH_MAX,
    UNREAD_MAX,
    UNREAD_NAME_LENGTH_MAX,
    UNREAD_NESTING_MAX,
)
from titledeed.canonical.field_values import LANGUAGE_LENGTH_MAX

Schema = dict[str, Any]
Properties = Mapping[str, Schema]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DEFINITIONS: Final = "definitions.json"


def whole(pattern: str) -> str:
    """The pattern for a whole text; in Python alone ``$`` also matches before a last line end."""
    return rf"^{pattern}(?!\n)$"


def define() -> Schema:
    """``definitions.json``: what several formats share."""
    return {
        "$schema": DIALECT,
        "$id": DEFINITIONS,
        "title": "What the documents of Titledeed share",
        "description": "Kinds of values, and what readers keep of fields that they do not know.",
        "$defs": {
            **_define_binary(),
            **_define_texts(),
            "time": {
                "description": "Seconds since 1970-01-01 00:00 UTC, until the end of year 9999.",
                "type": "integer",
                "minimum": 0,
                "maximum": TIMESTAMP_MAX,
            },
            **_define_unread(),
        },
    }


def _define_binary() -> dict[str, Schema]:
    groups, last = "(?:[A-Za-z0-9+/]{4})*", "(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[%s]=)?"
    patterns = {
        "word": ("32 bytes: 0x and 64 lower-case hex digits.", "0x[0-9a-f]{64}"),
        "sha256": ("A SHA-256 digest: 64 lower-case hex digits.", "[0-9a-f]{64}"),
        "hex": ("Some bytes: 0x and pairs of lower-case hex digits.", "0x(?:[0-9a-f]{2})+"),
        "address": (
            "An account or contract; its case is a checksum (EIP-55) that no schema checks.",
            "0x[0-9a-fA-F]{40}",
        ),
        "base64": (
            "Bytes in standard base64 (RFC 4648, section 4) with padding, unused bits zero.",
            groups + last % "AEIMQUYcgkosw048",
        ),
    }
    return {
        name: {"description": description, "type": "string", "pattern": whole(pattern)}
        for name, (description, pattern) in patterns.items()
    }


def _define_texts() -> dict[str, Schema]:
    return {
        "registration_id": {
            "description": "The id of a registration: td1 and 32 base32 characters.",
            "type": "string",
            "pattern": whole("td1[a-z2-7]{32}"),
        },
        "language": {
            "description": "A language tag (BCP 47) by its form, for example en or zh-Hans; und "
            "where the language is not known.",
            "type": "string",
            "maxLength": LANGUAGE_LENGTH_MAX,
            "pattern": whole("[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*"),
        },
        "term": {
            "description": "A word of a vocabulary that others may extend.",
            "type": "string",
            "minLength": 1,
            "maxLength": TERM_LENGTH_MAX,
        },
        "phrase": {
            "description": "Text that is not empty.",
            "type": "string",
            "minLength": 1,
            "maxLength": TEXT_LENGTH_MAX,
        },
    }


def _define_unread() -> dict[str, Schema]:
    here = {"$ref": "#/$defs/unread"}
    return {
        "unread_name": {
            "description": "The name of a field: ASCII.",
            "maxLength": UNREAD_NAME_LENGTH_MAX,
            "pattern": r"^[\u0000-\u007f]*$",
        },
        "unread": {
            "description": "A field that this version does not know: it is kept, since somebody "
            f"signed it. A document keeps at most {UNREAD_MAX}, each of at most "
            f"{UNREAD_LENGTH_MAX} characters of canonical JSON and {UNREAD_NESTING_MAX} levels.",
            "type": ["null", "boolean", "integer", "string", "array", "object"],
            "minimum": -INTEGER_MAX,
            "maximum": INTEGER_MAX,
            "items": here,
            "propertyNames": {"$ref": "#/$defs/unread_name"},
            "additionalProperties": here,
        },
    }


def of(kind: str, description: str, **more: Any) -> Schema:
    """A value of a kind that ``definitions.json`` holds."""
    return {"description": description, "$ref": f"{DEFINITIONS}#/$defs/{kind}", **more}


def document(name: str, description: str) -> Schema:
    """A nested document, or one of several versions of it, with its own schema."""
    *others, newest = name.split(" ")
    if not others:
        return {"description": description, "$ref": f"{newest}.json"}
    versions = [{"$ref": f"{one}.json"} for one in (newest, *others)]
    return {"description": description, "anyOf": versions}


def term(description: str) -> Schema:
    return of("term", description)


def phrase(description: str) -> Schema:
    return of("phrase", description)


def text(description: str, length_max: int = TEXT_LENGTH_MAX, *, length_min: int = 0) -> Schema:
    """Text, which may be empty unless told otherwise."""
    length = {"minLength": length_min} if length_min else {}
    return {"description": description, "type": "string", **length, "maxLength": length_max}


def hexadecimal(description: str, bytes_max: int) -> Schema:
    return of("hex", description, maxLength=2 + 2 * bytes_max)


def hexadecimal_of(description: str, length: int) -> Schema:
    """Hexadecimal digits of exactly so many bytes."""
    pattern = whole(f"0x[0-9a-f]{{{2 * length}}}")
    return {"description": description, "type": "string", "pattern": pattern}


def blob(description: str, bytes_max: int | None = None, *, filled: bool = True) -> Schema:
    """Base64; a limit in bytes is told in words, too, since padding hides one or two."""
    limits: Schema = {"minLength": 4} if filled else {}
    if bytes_max is not None:
        limits["maxLength"] = -(-bytes_max // 3) * 4
        description = f"{description} At most {bytes_max} bytes."
    return of("base64", description, **limits)


def integer(description: str, minimum: int = 0, maximum: int = INTEGER_MAX) -> Schema:
    return {"description": description, "type": "integer", "minimum": minimum, "maximum": maximum}


def word_of(description: str, words: Mapping[str, str] | list[str]) -> Schema:
    """One of a few words."""
    return {"description": description, "enum": list(words)}


def exactly(value: str) -> Schema:
    """The schema id."""
    return {"description": "What this document is, and in which version.", "const": value}


def nullable(schema: Schema) -> Schema:
    """Version 1 says null where nothing is stated."""
    description = schema["description"]
    inner = {name: value for name, value in schema.items() if name != "description"}
    return {"description": description, "anyOf": [{"type": "null"}, inner]}


def array(
    description: str, items: Schema, items_max: int, *, items_min: int = 1, unique: bool = False
) -> Schema:
    """From version 2 on an empty array is left out, where nothing else is said."""
    length = {"minItems": items_min} if items_min else {}
    once = {"uniqueItems": True} if unique else {}
    return {
        "description": description,
        "type": "array",
        **length,
        "maxItems": items_max,
        **once,
        "items": items,
    }


def closed(required: Properties, optional: Properties | None = None, **more: Any) -> Schema:
    """An object that holds nothing else: nobody signs it, so a field more could be anybody's."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
        **more,
    }


def opened(required: Properties, optional: Properties | None = None, **more: Any) -> Schema:
    """An object under a signature: readers keep fields that they do not know."""
    return {
        "type": "object",
        **({"required": list(required)} if required else {}),
        "properties": {**required, **(optional or {})},
        "propertyNames": {"$ref": f"{DEFINITIONS}#/$defs/unread_name"},
        "additionalProperties": {"$ref": f"{DEFINITIONS}#/$defs/unread"},
        **more,
    }


def described(description: str, schema: Schema) -> Schema:
    return {"description": description, **schema}


def file(name: str, title: str, description: str, schema: Schema) -> Schema:
    """A whole file; its id is its name, so that it stands wherever it is put."""
    return {
        "$schema": DIALECT,
        "$id": f"{name}.json",
        "title": title,
        "description": description,
        **schema,
    }
