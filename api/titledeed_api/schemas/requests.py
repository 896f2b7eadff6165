"""Fields of requests, whether they come in a form or in the query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from titledeed.canonical.documents import Json
from titledeed.canonical.rights import TITLE_LENGTH_MAX
from titledeed.errors import InvalidRequestError
from titledeed.models.disclosure import DigitalSourceType, HumanOversight

MODEL_LENGTH_MAX = 200


class FormFields(BaseModel):
    """Base: an unknown field is refused, since a misspelt ``publish`` would be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, fields: Mapping[str, str]) -> Self:
        """Check the fields; an empty one counts as absent.

        Raises:
            InvalidRequestError: naming each field that is wrong.
        """
        try:
            return cls.model_validate({name: text for name, text in fields.items() if text})
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(str(part) for part in item['loc'])[:60]}: {item['msg']}"
                for item in error.errors(include_url=False, include_input=False)
            )
            raise InvalidRequestError(found, next_step="See /openapi.json.") from error

    def as_arguments(self) -> dict[str, Json]:
        """The fields that were given, as a job keeps them; ``model_validate`` reads them back."""
        arguments: dict[str, Json] = self.model_dump(mode="json", exclude_unset=True)
        return arguments


def _one_line(text: object) -> object:
    return " ".join(text.split()) if isinstance(text, str) else text


Line = Annotated[str, BeforeValidator(_one_line)]


class RegistrationFields(FormFields):
    """What the claimant says about the file."""

    source_type: DigitalSourceType = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA
    """IPTC digital source type; this is a registry for generated media, so that is the default."""
    title: Annotated[Line, Field(min_length=1, max_length=TITLE_LENGTH_MAX)] | None = None
    """Defaults to the file's name."""
    model: Annotated[Line, Field(max_length=MODEL_LENGTH_MAX)] | None = None
    """The AI model or tool, if one was used."""
    oversight: HumanOversight | None = None
    publish: bool = False


class VerificationFields(FormFields):
    """A verification has no fields beside the file."""


class AuditFields(FormFields):
    """Choices for an audit."""

    pack: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")] | None = None
    """Id of a rule pack that comes with Titledeed."""


def describe_form(
    fields: type[FormFields], files: Mapping[str, str], *, many: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The OpenAPI ``requestBody`` of a form; ``files`` maps names to what they hold.

    A name with a trailing ``?`` may be left out; one in ``many`` may be repeated.
    """
    schema = fields.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    properties: dict[str, Any] = {
        name: _inline(value, definitions) for name, value in schema.get("properties", {}).items()
    }
    required = list(schema.get("required", []))
    for name, description in files.items():
        bare = name.removesuffix("?")
        one = {"type": "string", "format": "binary", "description": description}
        properties[bare] = {"type": "array", "items": one} if bare in many else one
        if bare == name:
            required.insert(0, bare)
    form = {"type": "object", "properties": properties, "required": required}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}}}


def _inline(value: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            return definitions[value["$ref"].rpartition("/")[2]]
        return {key: _inline(item, definitions) for key, item in value.items()}
    if isinstance(value, list):
        return [_inline(item, definitions) for item in value]
    return value
