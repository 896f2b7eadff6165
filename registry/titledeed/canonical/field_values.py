"""Fields whose values have a form of their own: language tags, addresses, registration ids."""

from __future__ import annotations

import re
from typing import Final

from titledeed.canonical.documents import Fields
from titledeed.canonical.identifiers import parse_address, parse_registration_id
from titledeed.errors import InvalidRequestError, MalformedDocumentError
from titledeed.models.primitives import Address, RegistrationId

LANGUAGE_LENGTH_MAX: Final = 35
"""RFC 5646, section 4.4.1: room for every tag that is not for private use alone."""

_TAG: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def read_language(fields: Fields, name: str) -> str:
    """A BCP 47 tag by its form; whether its subtags are registered changes with time.

    Raises:
        MalformedDocumentError: it has not the form.
    """
    tag = fields.text(name, length_max=LANGUAGE_LENGTH_MAX)
    if not _TAG.fullmatch(tag):
        raise fields.fail(name, "must be a language tag (BCP 47), for example en or zh-Hans")
    return tag


def read_address(fields: Fields, name: str) -> Address:
    """The field as an address.

    Raises:
        MalformedDocumentError: it is none; the error names the field.
    """
    text = fields.text(name)
    try:
        return parse_address(text)
    except MalformedDocumentError as error:
        raise fields.fail(name, "is not an address in EIP-55 form") from error


def read_registration_id(fields: Fields, name: str) -> RegistrationId:
    """The field as a registration id.

    Raises:
        MalformedDocumentError: it has not the form of one.
    """
    text = fields.text(name)
    try:
        return parse_registration_id(text)
    except InvalidRequestError as error:
        raise fields.fail(name, "is not a registration id") from error


def read_bounded(fields: Fields, name: str, *, bytes_max: int) -> str:
    """A text of at most so many bytes of UTF-8.

    Raises:
        MalformedDocumentError: it is longer.
    """
    text = fields.text(name, length_max=bytes_max)
    if len(text.encode("utf-8")) > bytes_max:
        raise fields.fail(name, f"must have at most {bytes_max} bytes of UTF-8")
    return text
