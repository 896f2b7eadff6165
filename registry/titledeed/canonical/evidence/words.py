"""Words of a contract's storage as canonical JSON: what was, or was not, so in a block."""

from __future__ import annotations

from functools import partial
from typing import Final

from titledeed.canonical.documents import Fields, Json, hex_word, leave_out
from titledeed.canonical.evidence.chains import (
    encode_chain,
    encode_state_proof,
    parse_chain,
    parse_state_proof,
)
from titledeed.canonical.evidence.logs import VERSION_MAX
from titledeed.models.bundle import StoredWord

WORD: Final = "titledeed.word"
KEYS_MAX: Final = 8
SLOT_MAX: Final = 65_535


def encode_word(stored: StoredWord) -> dict[str, Json]:
    """JSON form; in a bundle, or as a line of a snapshot."""
    return leave_out(
        {
            "schema": f"{WORD}/1",
            "chain": encode_chain(stored.chain),
            "contract": stored.contract,
            "version": stored.version,
            "base": stored.base,
            "keys": [hex_word(key) for key in stored.keys],
            "offset": stored.offset or None,
            "value": hex_word(stored.value),
            "state_proof": encode_state_proof(stored.state_proof),
        }
    )


def parse_word(fields: Fields) -> StoredWord:
    """Inverse of ``encode_word``; checks form, not the proof.

    Raises:
        MalformedDocumentError: a field is missing, unknown or of the wrong form.
    """
    fields.version(WORD, (1,))
    read_offset = partial(fields.integer, minimum=1, maximum=SLOT_MAX)
    stored = StoredWord(
        chain=parse_chain(fields.child("chain")),
        contract=fields.term("contract"),
        version=fields.integer("version", minimum=1, maximum=VERSION_MAX),
        base=fields.integer("base", maximum=SLOT_MAX),
        keys=fields.listed_words("keys", items_max=KEYS_MAX),
        offset=fields.stated("offset", read_offset) or 0,
        value=fields.word("value"),
        state_proof=parse_state_proof(fields.child("state_proof")),
    )
    fields.done()
    return stored
