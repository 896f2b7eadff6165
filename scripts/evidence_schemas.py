"""JSON Schemas of what carries the signed documents: dossiers, bundles, logs, words, snapshots."""

from __future__ import annotations

from typing import Any, Final

from document_schemas import OPEN
from schema_parts import (
    Schema,
    array,
    blob,
    closed,
    described,
    document,
    exactly,
    file,
    hexadecimal,
    hexadecimal_of,
    integer,
    nullable,
    of,
    opened,
    term,
    text,
    word_of,
)

from titledeed.canonical.disclosure_signatures import COVERS_MAX, SIGNATURE
from titledeed.canonical.evidence.bundles import (
    BUNDLE,
    BUNDLE_ANCHORS_MAX,
    LOGS_MAX,
    STORED_WORDS_MAX,
    TIMESTAMP_TOKEN_LENGTH_MAX,
    TRANSACTION_LENGTH_MAX,
)
from titledeed.canonical.evidence.chains import (
    HEADER_LENGTH_MAX,
    PROOF_NODE_LENGTH_MAX,
    PROOF_NODES_MAX,
)
from titledeed.canonical.evidence.dossiers import DOSSIER
from titledeed.canonical.evidence.logs import (
    EVENT_LENGTH_MAX,
    EVENTS_MAX,
    HEAD_LENGTH,
    LOG,
    SEQUENCE_MAX,
    VERSION_MAX,
)
from titledeed.canonical.evidence.records import RECORD
from titledeed.canonical.evidence.snapshots import (
    SNAPSHOT,
    SNAPSHOT_LINES_MAX,
    SNAPSHOT_SIGNATURE_LENGTH,
)
from titledeed.canonical.evidence.words import KEYS_MAX, SLOT_MAX, WORD
from titledeed.canonical.fingerprints import (
    ALGORITHM_VERSION_MAX,
    ALGORITHMS_MAX,
    FINGERPRINTS_SCHEMA,
)
from titledeed.canonical.merkle import PATH_LENGTH_MAX, TREE_SIZE_MAX
from titledeed.canonical.openings import OPENINGS, OPENINGS_MAX, VALUE_LENGTH_MAX
from titledeed.canonical.statements import STATEMENT_BYTES_MAX
from titledeed.canonical.typed_data import SIGNATURE_LENGTH_MAX
from titledeed.models.evidence import ChainKind
from titledeed.models.record import CommitmentKind

CLOSED: Final = "Closed: nobody signs it as a whole, so a field more could be anybody's."


def list_evidence() -> list[Schema]:
    """Newest version first."""
    return [
        _dossier(),
        _first_dossier(),
        _fingerprint_list(),
        _bundle(),
        _first_bundle(),
        _log(),
        _word(),
        _header(),
        _first_header(),
        _trailer(),
        _openings(),
        _disclosure_signature(),
    ]


def _dossier() -> Schema:
    optional = {
        "fingerprints": _fingerprints(items_min=1),
        "lineage": document("lineage-1", "From which works it was made; with a Record of 2 only."),
        "manifest_store": blob("The C2PA manifest store of the signed copy."),
    }
    return file(
        "dossier-2",
        "Dossier",
        "A Record and all documents that its digests commit to; private until its holder hands it "
        f"on. {CLOSED} The documents in it may be of version 1.",
        closed(_documents(2), optional, **_lineage_goes_with_record()),
    )


def _first_dossier() -> Schema:
    required = {
        **_documents(1),
        "fingerprints": _fingerprints(items_min=0),
        "manifest_store": blob("The C2PA manifest store; may be empty.", filled=False),
    }
    lineage = {"lineage": document("lineage-1", "From which works; with a Record of 2 only.")}
    return file(
        "dossier-1",
        "Dossier, version 1",
        "Read still, written no more.",
        closed(required, lineage, **_lineage_goes_with_record()),
    )


def _documents(version: int) -> dict[str, Schema]:
    salts = {
        "content": of("word", "Hides the content's digest on chain."),
        "record": of("word", "Hides the Record's digest on chain."),
    }
    return {
        "schema": exactly(f"{DOSSIER}/{version}"),
        "registration_id": of("registration_id", "It follows from the Claim."),
        "record": document("record-1 record-2", "The Record."),
        "salts": described("Random words with which the leaf was made.", closed(salts)),
        "disclosure": document("disclosure-1 disclosure-2", "How the work was made."),
        "rights": document("rights-1 rights-2", "Whose it is claimed to be."),
    }


def _fingerprints(*, items_min: int) -> Schema:
    required = {
        "algorithm": term("Its id, for example titledeed.dct256."),
        "version": integer("Its version.", 1, ALGORITHM_VERSION_MAX),
        "code": blob("The code that it gave, in the algorithm's own form.", filled=False),
    }
    return array(
        "By what the work is found in copies.",
        described("What one algorithm gave.", closed(required)),
        ALGORITHMS_MAX,
        items_min=items_min,
    )


def _fingerprint_list() -> Schema:
    required = {
        "algorithm": term("Its id, for example titledeed.dct256."),
        "version": integer("Its version.", 1, ALGORITHM_VERSION_MAX),
        "code_sha256": of("sha256", "Digest of the code that it gave."),
    }
    return file(
        "fingerprints-1",
        "List of fingerprints",
        "Only hashed, for the Claim, and never kept or sent: whoever has the codes of a dossier "
        "makes it again. Closed.",
        closed(
            {
                "schema": exactly(FINGERPRINTS_SCHEMA),
                "fingerprints": array(
                    "One entry for each algorithm, in the order in which they are kept.",
                    described("What one algorithm gave.", closed(required)),
                    ALGORITHMS_MAX,
                    items_min=0,
                ),
            }
        ),
    )


def _lineage_goes_with_record() -> dict[str, Any]:
    first = {"properties": {"record": {"properties": {"schema": {"const": f"{RECORD}/1"}}}}}
    return {
        "if": first,
        "then": {"properties": {"lineage": False}},
        "else": {"required": ["lineage"]},
    }


def _bundle() -> Schema:
    required = {
        "schema": exactly(f"{BUNDLE}/2"),
        "dossier": document("dossier-1 dossier-2", "The Record and its documents."),
        "anchors": array(
            "What dates it. The first is on the chain for which the Claim was signed.",
            described("One anchor and what shows it.", _evidence()),
            BUNDLE_ANCHORS_MAX,
        ),
    }
    logs = array(
        "What contracts were told about the Claim since.",
        document("log-1", "Successive events of one contract."),
        LOGS_MAX,
    )
    words = array(
        "What no event tells, such as who held its deed, or that nothing was revoked.",
        document("word-1", "A word of a contract's storage."),
        STORED_WORDS_MAX,
    )
    return file(
        "bundle-2",
        "Evidence bundle",
        "All that somebody needs to check a registration years later, with no help from us. "
        f"{CLOSED} Whether it proves anything, evidence-bundle.md tells.",
        closed(required, {"logs": logs, "words": words}),
    )


def _evidence() -> Schema:
    optional = {
        "state_proof": _state_proof(),
        "timestamp_token": blob("RFC 3161 token (DER) over the root.", TIMESTAMP_TOKEN_LENGTH_MAX),
    }
    return closed(_anchoring(), optional)


def _first_bundle() -> Schema:
    required = {
        "schema": exactly(f"{BUNDLE}/1"),
        "dossier": document("dossier-1 dossier-2", "The Record and its documents."),
        **_anchoring(),
        "state_proof": nullable(_state_proof()),
        "timestamp_token": blob(
            "RFC 3161 token (DER) over the root; may be empty.",
            TIMESTAMP_TOKEN_LENGTH_MAX,
            filled=False,
        ),
    }
    return file(
        "bundle-1",
        "Evidence bundle, version 1",
        "Read still, written no more. It holds one anchor, whose fields stand in the bundle.",
        closed(required),
    )


def _anchoring() -> dict[str, Schema]:
    size = integer("How many leaves the tree has.", 1, TREE_SIZE_MAX)
    proof = {
        "index": integer("Where the leaf stands, from 0.", 0, TREE_SIZE_MAX - 1),
        "size": size,
        "path": array(
            "The nodes beside the way up, lowest first.",
            of("word", "One node."),
            PATH_LENGTH_MAX,
            items_min=0,
        ),
    }
    anchor = {
        "root": of("word", "Root of the tree, as the contract holds it."),
        "size": size,
        "caller": of("address", "Who anchored it, and claims nothing by that."),
        "sequence": integer("Position among the contract's events.", 1),
        "transaction": of("word", "Hash of the transaction."),
        "block_number": integer("Number of the block."),
        "block_hash": of("word", "Hash of the block."),
        "block_timestamp": of("time", "The chain's time of it."),
    }
    return {
        "chain": _chain(),
        "proof": described("Where the leaf stands in the tree (RFC 9162).", closed(proof)),
        "anchor": described("That the tree's root is on chain.", closed(anchor)),
        "raw_transaction": hexadecimal(
            "The signed transaction that anchored it.", TRANSACTION_LENGTH_MAX
        ),
    }


def _chain() -> Schema:
    fields = {
        "kind": word_of("development: the home itself makes the blocks.", list(ChainKind)),
        "chain_id": integer("Number of the chain (EIP-155).", 1),
        "genesis_hash": of("word", "Hash of the chain's first block."),
        "contract": of("address", "The contract on it."),
    }
    return described("The chain and the contract.", closed(fields))


def _state_proof() -> Schema:
    node = hexadecimal("One node (RLP).", PROOF_NODE_LENGTH_MAX)
    fields = {
        "header": hexadecimal("RLP of a block's header.", HEADER_LENGTH_MAX),
        "account_proof": array(
            "From the state root to the contract.", node, PROOF_NODES_MAX, items_min=0
        ),
        "storage_proof": array(
            "From the contract's storage root to the word.", node, PROOF_NODES_MAX, items_min=0
        ),
    }
    return described(
        "What shows that the contract's storage held a word (EIP-1186).", closed(fields)
    )


def _log() -> Schema:
    optional = {
        "hash": of("word", "Keccak-256 of the event, where it is not opened."),
        "kind": term("Its name in Solidity, for people."),
        "data": hexadecimal("Topic 0 and the arguments (ABI), opened.", EVENT_LENGTH_MAX),
    }
    event = closed(
        {"block_timestamp": of("time", "The chain's time of it.")},
        optional,
        oneOf=[
            {"required": ["hash"], "properties": {"kind": False, "data": False}},
            {"required": ["kind", "data"], "properties": {"hash": False}},
        ],
    )
    required = {
        "schema": exactly(f"{LOG}/1"),
        "chain": _chain(),
        "contract": term("Name of the contract in Solidity."),
        "version": integer("Version of the contract.", 1, VERSION_MAX),
        "sequence": integer(
            "Number of the event before the first of these; 0, and a head of zeros, for none.",
            0,
            SEQUENCE_MAX,
        ),
        "head": hexadecimal_of(f"Running hash after that event: {HEAD_LENGTH} bytes.", HEAD_LENGTH),
        "events": array(
            "Successive events: each is opened, or given as its hash.",
            described("One event.", event),
            EVENTS_MAX,
        ),
    }
    return file(
        "log-1",
        "Segment of a contract's log",
        "What a contract was told, with a running hash that shows that nothing is left out. "
        f"{CLOSED}",
        closed(required, {"state_proof": _state_proof()}),
    )


def _word() -> Schema:
    required = {
        "schema": exactly(f"{WORD}/1"),
        "chain": _chain(),
        "contract": term("Name of the contract in Solidity."),
        "version": integer("Version of the contract.", 1, VERSION_MAX),
        "base": integer("Slot of the variable, as the compiler gave it.", 0, SLOT_MAX),
        "value": of("word", "What the storage held; zero where nothing was ever stored."),
        "state_proof": _state_proof(),
    }
    optional = {
        "keys": array(
            "Under what the variable's mappings are read, one inside the other, the outer first.",
            of("word", "One key, for example a deed's id."),
            KEYS_MAX,
        ),
        "offset": integer("Of the word in a struct; left out for its first.", 1, SLOT_MAX),
    }
    return file(
        "word-1",
        "Word of a contract's storage",
        f"What was so in a block, or that nothing was: an empty value can be proven, too. {CLOSED}",
        closed(required, optional),
    )


def _header() -> Schema:
    required = {
        "schema": exactly(f"{SNAPSHOT}/2"),
        **_header_fields(),
        "lines": integer(
            "How many lines stand between this one and the last.", 0, SNAPSHOT_LINES_MAX
        ),
    }
    return file(
        "snapshot-header-2",
        "First line of a snapshot",
        f"What its exporter says of the snapshot. {OPEN} registrations is at most lines.",
        opened(required, _since()),
    )


def _first_header() -> Schema:
    required = {"schema": exactly(f"{SNAPSHOT}/1"), **_header_fields()}
    return file(
        "snapshot-header-1",
        "First line of a snapshot, version 1",
        "Read still, written no more. Every line is an evidence bundle.",
        opened(required, _since()),
    )


def _header_fields() -> dict[str, Schema]:
    return {
        "exported_at": of("time", "The exporter's own clock."),
        "exporter": of("address", "The account that signs the snapshot."),
        "chain_id": integer("Number of the exporter's chain (EIP-155).", 1),
        "registrations": integer("How many lines are evidence bundles.", 0, SNAPSHOT_LINES_MAX),
    }


def _since() -> dict[str, Schema]:
    told = "Id of an earlier snapshot of the exporter; this one holds what changed since."
    return {"since": of("sha256", told)}


def _trailer() -> Schema:
    signature = hexadecimal_of(
        "The exporter's signature over all bytes before this line, "
        f"{SNAPSHOT_SIGNATURE_LENGTH} bytes.",
        SNAPSHOT_SIGNATURE_LENGTH,
    )
    return file(
        "snapshot-trailer",
        "Last line of a snapshot",
        "The same in both versions. Closed: it is not signed itself.",
        closed({"signature": signature}),
    )


def _openings() -> Schema:
    opening = {
        "kind": word_of("What was committed to.", list(CommitmentKind)),
        "commitment": of("word", "As it stands in the signed document."),
        "salt": of("word", "The random word that was kept back."),
        "value": text(
            "The prompt's text; the registration id; or the SHA-256 of the work or of the consent "
            "document, in lower-case hex.",
            VALUE_LENGTH_MAX,
        ),
    }
    required = {
        "schema": exactly(f"{OPENINGS}/1"),
        "registration_id": of("registration_id", "The registration whose documents they open."),
    }
    openings = array(
        "What opens them.", described("Opens one commitment.", closed(opening)), OPENINGS_MAX
    )
    return file(
        "openings-1",
        "Openings of commitments",
        "Shows what the commitments of a registration stand for: private, and in no bundle. "
        f"{CLOSED}",
        closed(required, {"openings": openings}),
    )


def _disclosure_signature() -> Schema:
    required = {
        "schema": exactly(f"{SIGNATURE}/1"),
        "statement": text(
            f"The sentence that the wallet showed, at most {STATEMENT_BYTES_MAX} bytes of UTF-8.",
            STATEMENT_BYTES_MAX,
        ),
        "signer": of("address", "The account that signed."),
        "role": term("For example producer, director or vendor."),
        "document_sha256": of("sha256", "Digest of the disclosure, in its RFC 8785 form."),
        "signed_at": of("time", "The signer's own clock."),
        "signature": hexadecimal("The signer's EIP-712 signature.", SIGNATURE_LENGTH_MAX),
    }
    covers = array(
        "Departments for which the signer answers; left out for the whole document.",
        term("One department, for example vfx."),
        COVERS_MAX,
    )
    return file(
        "disclosure-signature-1",
        "Signature over a film's disclosure",
        "Who answers for a disclosure document; it stands beside the document. Closed, since the "
        "signature covers these members and nothing beside them.",
        closed(required, {"covers": covers}),
    )
