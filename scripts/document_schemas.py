"""JSON Schemas of the documents that a claimant signs, and of the Record that binds them."""

from __future__ import annotations

from typing import Final

from schema_parts import (
    Schema,
    array,
    closed,
    described,
    document,
    exactly,
    file,
    hexadecimal,
    integer,
    nullable,
    of,
    opened,
    phrase,
    term,
    text,
    word_of,
)

from titledeed.canonical.claims import CLAIM
from titledeed.canonical.disclosures import (
    DISCLOSURE,
    HINTS_MAX,
    PROMPTS_MAX,
    SOURCE_TYPE_LENGTH_MAX,
    TOOLS_MAX,
)
from titledeed.canonical.documents import TERM_LENGTH_MAX
from titledeed.canonical.evidence.records import MANIFEST_ID_LENGTH_MAX, RECORD
from titledeed.canonical.lineages import LINEAGE, SOURCE_SEGMENTS_MAX, SOURCES_MAX
from titledeed.canonical.rights import (
    CONSENTS_MAX,
    CONTRIBUTORS_MAX,
    HOLDERS_MAX,
    INPUTS_MAX,
    MINING_MAX,
    NAME_LENGTH_MAX,
    RIGHTS,
    TITLE_LENGTH_MAX,
    TITLES_MAX,
)
from titledeed.canonical.statements import STATEMENT_BYTES_MAX
from titledeed.canonical.typed_data import SIGNATURE_LENGTH_MAX
from titledeed.models.disclosure import DigitalSourceType, HumanOversight
from titledeed.models.lineage import Relation, VariantKind
from titledeed.models.rights import SHARES_TOTAL, Basis, Mining, MiningUse

OPEN: Final = (
    "Its digest is signed, so readers keep and show fields that they do not know. What is not "
    "stated is left out: no null, no empty array."
)
FIRST: Final = "Read still, written no more: null says that nothing is stated."


def list_documents() -> list[Schema]:
    """Newest version first."""
    return [
        _claim(),
        _first_claim(),
        _disclosure(),
        _first_disclosure(),
        _rights(),
        _first_rights(),
        _lineage(),
        _record(),
        _first_record(),
    ]


def _words(vocabulary: type[Relation | VariantKind | Basis | Mining | MiningUse]) -> str:
    return f"{', '.join(vocabulary)}; other words are read as well."


def _claim() -> Schema:
    domain, members, signature = _claim_members()
    return file(
        "claim-2",
        "Claim",
        "What a claimant signs about a file before anything else happens to it, as EIP-712 typed "
        "data. Closed, since the signature covers these members and nothing beside them.",
        closed(
            {
                "schema": exactly(f"{CLAIM}/2"),
                "statement": text(
                    "The sentence that the wallet showed, at most "
                    f"{STATEMENT_BYTES_MAX} bytes of UTF-8; it must say what the documents say.",
                    STATEMENT_BYTES_MAX,
                ),
                **domain,
                **members,
                "lineage_sha256": of("sha256", "Digest of the lineage, in its RFC 8785 form."),
                **signature,
            }
        ),
    )


def _first_claim() -> Schema:
    domain, members, signature = _claim_members()
    return file(
        "claim-1",
        "Claim, version 1",
        "Read still, written no more. It has no schema id, no sentence and no lineage.",
        closed({**domain, **members, **signature}),
    )


def _claim_members() -> tuple[dict[str, Schema], dict[str, Schema], dict[str, Schema]]:
    domain = {
        "chain_id": integer("Number of the chain on which the signature counts (EIP-155).", 1),
        "contract": of("address", "The contract for which the signature counts."),
    }
    members = {
        "claimant": of("address", "The account that claims, and that signed this."),
        "content_sha256": of("sha256", "Digest of the file's bytes before Titledeed signed it."),
        "fingerprints_sha256": of("sha256", "Digest of the list of fingerprints."),
        "disclosure_sha256": of("sha256", "Digest of the disclosure, in its RFC 8785 form."),
        "rights_sha256": of("sha256", "Digest of the rights statement, in its RFC 8785 form."),
        "recovery_key": of(
            "address", "May declare the claimant's key lost; the zero address names nobody."
        ),
        "claimed_at": of("time", "The claimant's own clock, which nobody trusts."),
    }
    signature = {
        "signature": hexadecimal(
            "The claimant's EIP-712 signature; 65 bytes for an ordinary key.",
            SIGNATURE_LENGTH_MAX,
        )
    }
    return domain, members, signature


def _disclosure() -> Schema:
    return file(
        "disclosure-2",
        "Disclosure of one file",
        f"How a file was made, as its claimant states. {OPEN}",
        opened(
            {
                "schema": exactly(f"{DISCLOSURE}/2"),
                "digital_source_type": text(
                    "How it came to be: an IPTC term such as trainedAlgorithmicMedia, or a URI.",
                    SOURCE_TYPE_LENGTH_MAX,
                    length_min=1,
                ),
            },
            {
                "tools": array(
                    "AI tools that were used; left out is not the same as none.",
                    _tool(),
                    TOOLS_MAX,
                ),
                "human_oversight": term(
                    "How far people took part (C2PA 2.4): "
                    f"{', '.join(HumanOversight)}; other words are read as well."
                ),
                "scientific_domain": phrase("Field of science, as c2pa.ai-disclosure has it."),
                "prompts": array(
                    "That prompts were used, without their words.",
                    described(
                        "One prompt.",
                        opened(
                            {
                                "role": term("What it was for, for example prompt or negative."),
                                "commitment": of(
                                    "word", "Hides the prompt until its salt is told."
                                ),
                            }
                        ),
                    ),
                    PROMPTS_MAX,
                ),
                "hints": array(
                    "What the file says of itself, signed by nobody, as the claimant found it.",
                    _hint(),
                    HINTS_MAX,
                ),
            },
        ),
    )


def _tool() -> Schema:
    fields = {
        "provider": phrase("Who offers it."),
        "model": phrase("Name of the model."),
        "version": phrase("Version of the model."),
        "identifier": phrase("A URI or package URL of the model."),
        "model_type": term("A C2PA data type, for example c2pa.types.model."),
    }
    return described("One tool, of which something is stated.", opened({}, fields, minProperties=1))


def _hint() -> Schema:
    fields = {
        "origin": phrase("Its place in the file, for example png:tEXt:parameters."),
        "name": term("What it speaks of, for example model."),
        "value": text("What it says; it may be empty."),
    }
    return described("One hint.", opened(fields))


def _first_disclosure() -> Schema:
    return file(
        "disclosure-1",
        "Disclosure of one file, version 1",
        f"It holds one model. {FIRST}",
        opened(
            {
                "schema": exactly(f"{DISCLOSURE}/1"),
                "digital_source_type": word_of("An IPTC term.", list(DigitalSourceType)),
                "model_name": nullable(text("Name of the model.")),
                "model_identifier": nullable(text("A URI or package URL of the model.")),
                "human_oversight": nullable(
                    word_of("How far people took part (C2PA 2.4).", list(HumanOversight))
                ),
            }
        ),
    )


def _rights() -> Schema:
    return file(
        "rights-2",
        "Rights statement",
        "Whose a work is claimed to be, who made it, and what went into it. "
        f"{OPEN} A schema cannot say that the shares add up to {SHARES_TOTAL}, that no two titles "
        "have one language and that no two entries of training_mining have one label.",
        opened(
            {
                "schema": exactly(f"{RIGHTS}/2"),
                "titles": array(
                    "What the work is called; the first is shown.",
                    described(
                        "The title in one language.",
                        opened(
                            {
                                "text": text("The title.", TITLE_LENGTH_MAX, length_min=1),
                                "language": of("language", "Its language; und if not known."),
                            }
                        ),
                    ),
                    TITLES_MAX,
                ),
                "holders": array("Who holds the work, and how much of it.", _holder(), HOLDERS_MAX),
            },
            {
                "contributors": array(
                    "People who are credited and need hold nothing.",
                    _contributor(),
                    CONTRIBUTORS_MAX,
                ),
                "inputs": array(
                    "On what basis the work of others went into this one.", _input(), INPUTS_MAX
                ),
                "consents": array(
                    "That people who are seen or heard agreed, without saying who.",
                    of("word", "Hides a consent document until its salt is told."),
                    CONSENTS_MAX,
                    unique=True,
                ),
                "training_mining": array(
                    "What others may do with the work by machine; left out is not the same as "
                    "allowed.",
                    _mining(),
                    MINING_MAX,
                ),
                "terms": described(
                    "The text on which the work is offered.",
                    opened(
                        {"sha256": of("sha256", "Digest of the text's bytes.")},
                        {"url": phrase("Where it can be read.")},
                    ),
                ),
            },
        ),
    )


def _holder() -> Schema:
    required = {
        "share_ppm": integer(
            f"The share, in millionths; all together are {SHARES_TOTAL}.", 1, SHARES_TOTAL
        ),
        "role": term("For example claimant, author or producer."),
    }
    optional = {
        "account": of("address", "The holder's Ethereum account."),
        "name": text(
            "What the claimant calls the holder; nobody checks it.", NAME_LENGTH_MAX, length_min=1
        ),
    }
    return described(
        "One holder: account, name or something that a later release writes is there, too.",
        opened(required, optional, minProperties=len(required) + 1),
    )


def _contributor() -> Schema:
    required = {"name": phrase("Who is credited.")}
    optional = {
        "role": term("For example Prompts or Voice."),
        "account": of("address", "The contributor's Ethereum account."),
    }
    return described("One contributor.", opened(required, optional))


def _input() -> Schema:
    required = {
        "work": _reference(),
        "kind": term("What it is, for example photograph, voice or model."),
        "basis": term(f"Why it may be used: {_words(Basis)}"),
    }
    optional = {
        "licence": phrase("SPDX licence expression; LicenseRef- names a text of one's own."),
        "licence_sha256": of("sha256", "Digest of the licence's text, or of the agreement."),
    }
    return described("One input.", opened(required, optional))


def _mining() -> Schema:
    required = {
        "label": term(f"The use, by CAWG's label: {_words(Mining)}"),
        "use": term(f"What is said of it: {_words(MiningUse)}"),
    }
    optional = {"constraint_info": phrase("The constraint, in words.")}
    return described("One use.", opened(required, optional))


def _reference() -> Schema:
    """Another work: named, hidden, or as a later release names it."""
    named = {
        "registration_id": of("registration_id", "The work's registration, on whatever chain."),
        "content_sha256": of("sha256", "Digest of the work's bytes."),
        "commitment": of("word", "Hides which work it is until the salt is told."),
    }
    alone = {"properties": {"registration_id": False, "content_sha256": False}}
    return described(
        "Another work, by its registration, its bytes or both, or by a commitment that stands "
        "beside neither, or as a later release names it.",
        opened({}, named, minProperties=1, dependentSchemas={"commitment": alone}),
    )


def _first_rights() -> Schema:
    required = {
        "account": of("address", "The holder's Ethereum account."),
        "share_ppm": integer("The share, in millionths.", 1, SHARES_TOTAL),
        "role": text("Free text.", TERM_LENGTH_MAX),
    }
    return file(
        "rights-1",
        "Rights statement, version 1",
        "Read still, written no more. It holds one title without a language, holders with "
        f"accounts, and free credit lines. The shares add up to {SHARES_TOTAL}.",
        opened(
            {
                "schema": exactly(f"{RIGHTS}/1"),
                "title": text("What the work is called.", TITLE_LENGTH_MAX),
                "holders": array(
                    "Who holds the work.", described("One holder.", opened(required)), HOLDERS_MAX
                ),
                "credits": array(
                    "Lines of credit.", text("One line."), CONTRIBUTORS_MAX, items_min=0
                ),
            }
        ),
    )


def _lineage() -> Schema:
    return file(
        "lineage-1",
        "Lineage",
        f"From which other works a work was made, as its claimant states. {OPEN} No sources is not "
        "the same as made from nothing. A schema cannot say that segments run forwards.",
        opened(
            {"schema": exactly(f"{LINEAGE}/1")},
            {"sources": array("The works from which it was made.", _source(), SOURCES_MAX)},
        ),
    )


def _source() -> Schema:
    required = {
        "work": _reference(),
        "relation": term(f"How it went in (C2PA 2.4): {_words(Relation)}"),
    }
    optional = {
        "kind": term(f"What kind of variant of it the work is: {_words(VariantKind)}"),
        "language": of("language", "Language of the variant."),
        "segments": array(
            "Which time of the source is which time of the work; ends are exclusive.",
            described(
                "One stretch, whose ends are later than its starts.",
                opened(
                    {
                        "start_ms": integer("Where it begins in the work, in milliseconds."),
                        "end_ms": integer("Where it ends in the work."),
                        "source_start_ms": integer("Where it begins in the source."),
                        "source_end_ms": integer("Where it ends in the source."),
                    }
                ),
            ),
            SOURCE_SEGMENTS_MAX,
        ),
    }
    return described("One source.", opened(required, optional))


def _record() -> Schema:
    required = {
        "schema": exactly(f"{RECORD}/2"),
        "claim": document("claim-2", "The signed Claim."),
        "media": _media(),
    }
    return file(
        "record-2",
        "Record",
        "What one leaf on chain commits to besides the content: Claim, signed copy, technical "
        f"facts. {OPEN}",
        opened(required, {"credential": _credential()}),
    )


def _first_record() -> Schema:
    return file(
        "record-1",
        "Record, version 1",
        f"It holds a Claim of version 1. {FIRST}",
        opened(
            {
                "schema": exactly(f"{RECORD}/1"),
                "claim": document("claim-1", "The signed Claim."),
                "credential": nullable(_credential()),
                "media": _media(is_first=True),
            }
        ),
    )


def _credential() -> Schema:
    fields = {
        "signed_sha256": of("sha256", "Digest of the signed copy of the file."),
        "manifest_id": text(
            "Label of its C2PA manifest (urn:c2pa:…).", MANIFEST_ID_LENGTH_MAX, length_min=1
        ),
        "manifest_sha256": of("sha256", "Digest of its manifest store."),
    }
    return described("The copy with Content Credentials, where one was made.", opened(fields))


def _media(*, is_first: bool = False) -> Schema:
    codecs = {
        "codec": "FFmpeg's name of the main stream's codec.",
        "audio_codec": "FFmpeg's name of the sound's.",
    }
    fields = {
        "media_type": term("IANA media type, for example video/mp4."),
        "size_bytes": integer("Length of the file.", 1),
        "width": integer("Pixels, as shown; 0 for sound."),
        "height": integer("Pixels, as shown; 0 for sound."),
        "duration_ms": integer("Milliseconds; 0 for a still picture."),
        "frame_count": integer("Frames; 1 for a still picture, 0 for sound."),
    }
    if is_first:
        fields |= {name: text(said, TERM_LENGTH_MAX) for name, said in codecs.items()}
        return described("Technical facts of the file.", opened(fields))
    optional = {name: term(said) for name, said in codecs.items()}
    return described("Technical facts of the file.", opened(fields, optional))
