"""Reads a film's disclosure: ``aidisc/1``, of which the five answers of profile ``mini``.

The format's rules: absent is never "no"; "unsure" is an answer; ranges are frames, the end
exclusive; fields that we do not know are kept (the digest covers the file as handed in) and
listed, not refused. Values that we do read are checked strictly. The field names are those of
``docs/reference/disclosure-document.md``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from itertools import count
from typing import Final, TypeVar

from titledeed.canonical.documents import Fields
from titledeed.canonical.hashing import sha256
from titledeed.canonical.identifiers import parse_registration_id
from titledeed.canonical.yaml_documents import parse_yaml
from titledeed.errors import InvalidRequestError, MalformedDocumentError
from titledeed.models.disclosure import (
    DeclaredUse,
    DeclaredUseOfAI,
    DepartmentAnswer,
    FilmDisclosure,
    FilmVersion,
    Qualifier,
    ShareClaim,
    ShareMetric,
    ShareUnit,
    ToolAnswer,
    Used,
)
from titledeed.models.interval import Interval
from titledeed.models.primitives import RegistrationId, Sha256

FILM_SCHEMA: Final = "aidisc/1"
PROFILES: Final = ("mini", "festival", "full")
DEPARTMENTS: Final = (
    *("screenplay", "dialogue_text", "storyboard", "concept_art", "production_design"),
    *("cinematography", "performance", "casting", "costume_makeup", "vfx", "animation"),
    *("editing", "colour", "restoration", "dialogue_voice", "dubbing", "subtitles", "music"),
    *("sound_effects", "titles_graphics", "marketing_poster", "marketing_trailer", "management"),
)
MODES: Final = (
    *("generated", "altered", "replica", "synthetic_performer"),
    *("assistive", "analysis", "admin"),
)

ENTRIES_MAX: Final = 10_000
DISCLOSED_TEXT_LENGTH_MAX: Final = 300
RATE_MAX: Final = 1_000
FILM_FRAMES_MAX: Final = 100_000_000

_RATE = re.compile(r"([0-9]{1,7})/([0-9]{1,7})")
_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)


def parse_film_disclosure(data: bytes) -> FilmDisclosure:
    """Parse the bytes of a ``disclosure.yaml``.

    Raises:
        MalformedDocumentError: not YAML within limits, another schema, or a field that we read
            has a wrong type or value; the message names its path.
    """
    fields = parse_yaml(data, what="the disclosure")
    return _Reader(fields).read(sha256(data))


class _Reader:
    """One pass over one document; collects the paths of fields that it does not know."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._unread: dict[str, None] = {}
        self._versions: tuple[FilmVersion, ...] = ()
        self._uses = count(1)

    def read(self, digest: Sha256) -> FilmDisclosure:
        fields = self._fields
        if fields.text("schema") != FILM_SCHEMA:
            raise MalformedDocumentError(
                f"the disclosure: 'schema' must be {FILM_SCHEMA!r}",
                next_step=f"Write 'schema: {FILM_SCHEMA}' as its first line.",
                place="the disclosure: schema",
            )
        fields.optional("profile", lambda name: _one_of(fields, name, PROFILES))
        title = fields.optional("film", self._film) or ""
        disclosure = FilmDisclosure(
            title=title,
            versions=self._versions,
            declared_use=fields.optional(
                "declared_use", lambda name: _word(fields, name, DeclaredUse)
            ),
            departments=self._each("departments", self._department),
            tools=self._each("tools", self._tool),
            uses=self._each("uses", self._use),
            claims=self._each("claims", self._claim),
            digest=digest,
            unread=(*self._unread, *fields.rest()),
        )
        repeated = Counter(use.id for use in disclosure.uses or ()).most_common(1)
        if repeated and repeated[0][1] > 1:
            raise MalformedDocumentError(
                f"the disclosure: 'uses' names {repeated[0][0]!r} twice",
                place="the disclosure: uses",
            )
        return disclosure

    def _each(self, name: str, read: Callable[[Fields], _T]) -> tuple[_T, ...] | None:
        def read_all(name: str) -> tuple[_T, ...]:
            items = self._fields.children(name, items_max=ENTRIES_MAX)
            values = tuple(read(item) for item in items)
            for item in items:
                self._keep_unread(f"{name}[]", item)
            return values

        return self._fields.optional(name, read_all)

    def _keep_unread(self, path: str, fields: Fields) -> None:
        self._unread.update(dict.fromkeys(f"{path}.{name}" for name in fields.rest()))

    def _film(self, name: str) -> str:
        film = self._fields.child(name)
        title = film.optional("title", lambda name: _title(film, name))
        rate = film.optional("rate", lambda name: _rate(film, name))
        versions = film.optional("versions", film.children) or []
        self._versions = tuple(_version(item, rate) for item in versions)
        if rate and not self._versions:
            self._versions = (FilmVersion(label=None, digest=None, frames=None, rate=rate),)
        for item in versions:
            self._keep_unread("film.versions[]", item)
        self._keep_unread("film", film)
        return title or ""

    def _department(self, fields: Fields) -> DepartmentAnswer:
        return DepartmentAnswer(
            department=_one_of(fields, "dept", DEPARTMENTS),
            used=_word(fields, "used", Used),
            mode=fields.optional("mode", lambda name: _one_of(fields, name, MODES)),
        )

    def _tool(self, fields: Fields) -> ToolAnswer:
        name = _name(fields, "name")
        return ToolAnswer(
            id=fields.optional("id", lambda key: _name(fields, key)) or name,
            name=name,
            model_version=fields.optional("model_version", lambda key: _version_text(fields, key)),
        )

    def _use(self, fields: Fields) -> DeclaredUseOfAI:
        number = next(self._uses)
        return DeclaredUseOfAI(
            id=fields.optional("id", lambda key: _name(fields, key)) or f"use {number}",
            time=self._frames(fields),
            source_files=fields.optional("source_files", lambda key: _digests(fields, key)) or (),
            registrations=fields.optional("registrations", lambda key: _ids(fields, key)) or (),
            tool=fields.optional("tool", lambda key: _name(fields, key)),
            source_type=fields.optional("iptc_type", lambda key: _name(fields, key)),
        )

    def _frames(self, fields: Fields) -> Interval | None:
        label = fields.optional("version_label", lambda key: _name(fields, key))
        if not (fields.has("start_frame") or fields.has("end_frame")):
            return None
        start = fields.integer("start_frame", maximum=FILM_FRAMES_MAX)
        end = fields.integer("end_frame", minimum=start + 1, maximum=FILM_FRAMES_MAX)
        versions = [v for v in self._versions if label is None or v.label == label]
        rates = {version.rate for version in versions if version.rate}
        if len(rates) != 1:
            error = fields.fail("start_frame", "needs the frame rate of one version of the film")
            error.next_step = 'Add it to the film, for example: film: {rate: "24/1"}.'
            raise error
        lengths = [version.frames for version in versions if version.frames]
        if lengths and end > max(lengths):
            raise fields.fail("end_frame", f"must not exceed the film's {max(lengths)} frames")
        rate = rates.pop()
        return Interval(float(start / rate), float(end / rate))

    def _claim(self, fields: Fields) -> ShareClaim:
        value = _number(fields, "value")
        unit = fields.optional("unit", lambda name: _word(fields, name, ShareUnit))
        if (unit or ShareUnit.RATIO) is ShareUnit.RATIO and value > 1:
            error = fields.fail("value", "must be at most 1 where the unit is ratio")
            error.next_step = "Write 0.4 for 40 %, or name another unit."
            raise error
        return ShareClaim(
            metric=fields.optional("metric", lambda name: _word(fields, name, ShareMetric)),
            value=value,
            unit=unit or ShareUnit.RATIO,
            qualifier=fields.optional("qualifier", lambda name: _word(fields, name, Qualifier))
            or Qualifier.ABOUT,
            tolerance=fields.optional("tolerance", lambda name: _number(fields, name)),
        )


def _version(fields: Fields, film_rate: Fraction | None) -> FilmVersion:
    return FilmVersion(
        label=fields.optional("label", lambda name: _name(fields, name)),
        digest=fields.optional("sha256", fields.sha256),
        frames=fields.optional(
            "frames", lambda name: fields.integer(name, minimum=1, maximum=FILM_FRAMES_MAX)
        ),
        rate=fields.optional("rate", lambda name: _rate(fields, name)) or film_rate,
    )


def _title(fields: Fields, name: str) -> str:
    """Text, or text by language: English if there is any, else the first."""
    value = fields.value(name)
    texts = value if isinstance(value, dict) else {"": value}
    for text in (texts.get("en"), *texts.values()):
        if isinstance(text, str) and len(text) <= DISCLOSED_TEXT_LENGTH_MAX:
            return text
    raise fields.fail(
        name, f"must be text of at most {DISCLOSED_TEXT_LENGTH_MAX} characters, or by language"
    )


def _rate(fields: Fields, name: str) -> Fraction:
    value = fields.value(name)
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    numbers = (int(match[1]), int(match[2])) if match else (value, 1)
    if type(numbers[0]) is int and numbers[1] and numbers[1] <= numbers[0] <= RATE_MAX * numbers[1]:
        return Fraction(numbers[0], numbers[1])
    error = fields.fail(name, "must be a frame rate such as 24/1 or 30000/1001")
    error.next_step = "Write frames per second as a fraction; 29.97 is 30000/1001."
    raise error


def _number(fields: Fields, name: str) -> Fraction:
    value = fields.value(name)
    if isinstance(value, int | Fraction) and not isinstance(value, bool) and value >= 0:
        return Fraction(value)
    raise fields.fail(name, "must be a number that is not negative")


def _name(fields: Fields, name: str) -> str:
    text = fields.text(name, length_max=DISCLOSED_TEXT_LENGTH_MAX)
    if not text.strip():
        raise fields.fail(name, "must not be empty")
    return text


def _version_text(fields: Fields, name: str) -> str:
    """A version such as 2 or 1.5 is a number to YAML and text to people."""
    value = fields.value(name)
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return f"{value}" if isinstance(value, int) else f"{float(value):g}"
    if isinstance(value, str) and len(value) <= DISCLOSED_TEXT_LENGTH_MAX:
        return value
    raise fields.fail(name, "must be text")


def _digests(fields: Fields, name: str) -> tuple[Sha256, ...]:
    texts = [text.lower() for text in fields.texts(name, items_max=ENTRIES_MAX)]
    if not all(re.fullmatch(r"[0-9a-f]{64}", text) for text in texts):
        raise fields.fail(name, "must hold SHA-256 digests of 64 hex digits")
    return tuple(Sha256(bytes.fromhex(text)) for text in texts)


def _ids(fields: Fields, name: str) -> tuple[RegistrationId, ...]:
    try:
        return tuple(map(parse_registration_id, fields.texts(name, items_max=ENTRIES_MAX)))
    except InvalidRequestError as error:
        raise fields.fail(name, f"must hold registration ids: {error.message}") from error


def _one_of(fields: Fields, name: str, words: tuple[str, ...]) -> str:
    text = fields.text(name)
    if text not in words:
        raise fields.fail(name, f"must be one of {', '.join(words)}")
    return text


def _word(fields: Fields, name: str, words: type[_Word]) -> _Word:
    return words(_one_of(fields, name, tuple(words)))
