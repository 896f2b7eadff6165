"""The rights statement: the document behind a Claim's rights digest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from titledeed.canonical.documents import (
    TERM_LENGTH_MAX,
    Fields,
    Json,
    hex_word,
    leave_out,
    put_back,
)
from titledeed.canonical.field_values import read_address, read_language
from titledeed.canonical.references import encode_reference, parse_reference
from titledeed.models.primitives import Keccak256
from titledeed.models.rights import (
    SHARES_TOTAL,
    Contributor,
    InputRight,
    MiningEntry,
    RightsHolder,
    RightsStatement,
    Terms,
    Title,
)

RIGHTS: Final = "titledeed.rights"
TITLE_LENGTH_MAX: Final = 300
NAME_LENGTH_MAX: Final = 300
TITLES_MAX: Final = 100
HOLDERS_MAX: Final = 100
CONTRIBUTORS_MAX: Final = 1_000
INPUTS_MAX: Final = 1_000
CONSENTS_MAX: Final = 1_000
MINING_MAX: Final = 100


def encode_rights(rights: RightsStatement) -> dict[str, Json]:
    """JSON form, in the version in which it was made."""
    encode = _encode_first if rights.version == 1 else _encode
    return put_back(encode(rights), rights.unread)


def parse_rights(fields: Fields) -> RightsStatement:
    """Inverse of ``encode_rights``; keeps what it does not know.

    Raises:
        MalformedDocumentError: a field is missing or of the wrong form, the shares do not add up,
            or a language or a use is stated twice.
    """
    unread = fields.keep_unread()
    version = fields.version(RIGHTS, (1, 2))
    rights = _parse_first(fields) if version == 1 else _parse(fields)
    if sum(holder.share_ppm for holder in rights.holders) != SHARES_TOTAL:
        raise fields.fail("holders", f"must have shares that add up to {SHARES_TOTAL}")
    fields.done()
    return replace(rights, unread=tuple(unread))


def _encode(rights: RightsStatement) -> dict[str, Json]:
    return leave_out(
        {
            "schema": f"{RIGHTS}/2",
            "titles": [{"text": one.text, "language": one.language} for one in rights.titles],
            "holders": [_encode_holder(holder) for holder in rights.holders],
            "contributors": [_encode_contributor(one) for one in rights.contributors],
            "inputs": [_encode_input(one) for one in rights.inputs],
            "consents": [hex_word(commitment) for commitment in rights.consents],
            "training_mining": [_encode_mining(entry) for entry in rights.mining],
            "terms": _encode_terms(rights.terms) if rights.terms else None,
        }
    )


def _parse(fields: Fields) -> RightsStatement:
    consents = fields.listed_words("consents", items_max=CONSENTS_MAX)
    rights = RightsStatement(
        titles=tuple(map(_parse_title, fields.listed("titles", items_max=TITLES_MAX))),
        holders=tuple(map(_parse_holder, fields.listed("holders", items_max=HOLDERS_MAX))),
        contributors=tuple(
            map(_parse_contributor, fields.listed("contributors", items_max=CONTRIBUTORS_MAX))
        ),
        inputs=tuple(map(_parse_input, fields.listed("inputs", items_max=INPUTS_MAX))),
        consents=tuple(map(Keccak256, consents)),
        mining=tuple(map(_parse_mining, fields.listed("training_mining", items_max=MINING_MAX))),
        terms=fields.stated("terms", lambda name: _parse_terms(fields.child(name))),
    )
    if not rights.titles:
        raise fields.fail("titles", "is missing")
    _require_once(fields, "titles", (title.language.lower() for title in rights.titles))
    _require_once(fields, "training_mining", (entry.label for entry in rights.mining))
    _require_once(fields, "consents", rights.consents)
    return rights


def _require_once(fields: Fields, name: str, keys: Iterable[object]) -> None:
    listed = list(keys)
    if len(set(listed)) != len(listed):
        raise fields.fail(name, "states the same twice")


def _parse_title(fields: Fields) -> Title:
    title = Title(
        text=fields.phrase("text", length_max=TITLE_LENGTH_MAX),
        language=read_language(fields, "language"),
    )
    fields.done()
    return title


def _encode_holder(holder: RightsHolder) -> dict[str, Json]:
    return leave_out(
        {
            "account": holder.account,
            "name": holder.name,
            "share_ppm": holder.share_ppm,
            "role": holder.role,
        }
    )


def _parse_holder(fields: Fields) -> RightsHolder:
    holder = RightsHolder(
        account=fields.stated("account", lambda name: read_address(fields, name)),
        name=fields.stated("name", partial(fields.phrase, length_max=NAME_LENGTH_MAX)),
        share_ppm=fields.integer("share_ppm", minimum=1, maximum=SHARES_TOTAL),
        role=fields.term("role"),
    )
    if holder.account is None and holder.name is None and not fields.has_more:
        raise fields.fail("name", "or an account must be stated")
    fields.done()
    return holder


def _encode_contributor(one: Contributor) -> dict[str, Json]:
    return leave_out({"name": one.name, "role": one.role, "account": one.account})


def _parse_contributor(fields: Fields) -> Contributor:
    contributor = Contributor(
        name=fields.phrase("name"),
        role=fields.stated("role", fields.term),
        account=fields.stated("account", lambda name: read_address(fields, name)),
    )
    fields.done()
    return contributor


def _encode_input(one: InputRight) -> dict[str, Json]:
    return leave_out(
        {
            "work": encode_reference(one.work),
            "kind": one.kind,
            "basis": str(one.basis),
            "licence": one.licence,
            "licence_sha256": one.licence_digest.hex() if one.licence_digest else None,
        }
    )


def _parse_input(fields: Fields) -> InputRight:
    right = InputRight(
        work=parse_reference(fields.child("work")),
        kind=fields.term("kind"),
        basis=fields.term("basis"),
        licence=fields.stated("licence", fields.phrase),
        licence_digest=fields.stated("licence_sha256", fields.sha256),
    )
    fields.done()
    return right


def _encode_mining(entry: MiningEntry) -> dict[str, Json]:
    return leave_out(
        {"label": str(entry.label), "use": str(entry.use), "constraint_info": entry.constraint}
    )


def _parse_mining(fields: Fields) -> MiningEntry:
    entry = MiningEntry(
        label=fields.term("label"),
        use=fields.term("use"),
        constraint=fields.stated("constraint_info", fields.phrase),
    )
    fields.done()
    return entry


def _encode_terms(terms: Terms) -> dict[str, Json]:
    return leave_out({"sha256": terms.digest.hex(), "url": terms.url})


def _parse_terms(fields: Fields) -> Terms:
    terms = Terms(fields.sha256("sha256"), fields.stated("url", fields.phrase))
    fields.done()
    return terms


def _encode_first(rights: RightsStatement) -> dict[str, Json]:
    return {
        "schema": f"{RIGHTS}/1",
        "title": rights.title,
        "holders": [
            {"account": holder.account, "share_ppm": holder.share_ppm, "role": holder.role}
            for holder in rights.holders
        ],
        "credits": [one.name for one in rights.contributors],
    }


def _parse_first(fields: Fields) -> RightsStatement:
    title = Title(fields.text("title", length_max=TITLE_LENGTH_MAX))
    holders = []
    for item in fields.children("holders", items_max=HOLDERS_MAX):
        holders.append(
            RightsHolder(
                account=read_address(item, "account"),
                share_ppm=item.integer("share_ppm", minimum=1, maximum=SHARES_TOTAL),
                role=item.text("role", length_max=TERM_LENGTH_MAX),
            )
        )
        item.done()
    lines = fields.texts("credits", items_max=CONTRIBUTORS_MAX)
    return RightsStatement((title,), tuple(holders), tuple(map(Contributor, lines)), version=1)
