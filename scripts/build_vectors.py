"""Write the golden vectors of ``titledeed.canonical``.

Solidity reads ``leaves.json`` and ``typed_data.json`` as well; the digests of the latter are made
by eth-account alone, so that the contract and our own encoder are both held to a third.

What stands alone beside the package lists the contracts: their rows are written there as well. From
release 0.1.0 on a vector that changes means a format that broke. ``--check`` writes nothing and
fails where the committed files differ.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from canonical_samples import (
    CHAIN,
    CLAIMANT_KEY,
    CONTRACT,
    DOMAIN,
    SAMPLE_HEADER,
    SAMPLE_OPENINGS,
    SENDER_KEY,
    sample_bundle,
    sample_signed_disclosure,
)
from generated_files import write_or_check
from typed_data import ACTS, digest_act
from web3 import Web3

from titledeed.canonical.claims import describe_claim, hash_claim, hash_domain, identify_claim
from titledeed.canonical.disclosure_signatures import (
    describe_disclosure,
    encode_signed_disclosure,
    hash_disclosure,
)
from titledeed.canonical.disclosures import encode_disclosure
from titledeed.canonical.documents import Json, digest_document, encode_document, hex_word
from titledeed.canonical.evidence.bundles import encode_bundle
from titledeed.canonical.evidence.records import digest_record, encode_record
from titledeed.canonical.evidence.snapshots import encode_header, hash_snapshot
from titledeed.canonical.hashing import keccak256, sha256, word
from titledeed.canonical.identifiers import ZERO_ADDRESS, address_from_bytes, derive_deed_id
from titledeed.canonical.leaves import (
    commit_consent,
    commit_content,
    commit_record,
    hash_consent_leaf,
    hash_leaf,
    leaf_of_record,
)
from titledeed.canonical.lineages import encode_lineage
from titledeed.canonical.merkle import MerkleTree
from titledeed.canonical.openings import encode_openings
from titledeed.canonical.rights import encode_rights
from titledeed.models.ledger import ContractName
from titledeed.models.primitives import Address, Keccak256, LeafHash
from titledeed.proofs.contract import load_interface
from titledeed.proofs.signatures import address_of_key, sign_digest
from titledeed.proofs.versions import list_versions

CHECKOUT: Final = Path(__file__).resolve().parent.parent
VECTORS: Final = CHECKOUT / "tests/conformance/vectors"
NAMING: Final = (
    CHECKOUT / "scripts/verify_bundle.py",
    CHECKOUT / "docs/reference/evidence-bundle.md",
)
"""These list the contracts, because whoever reads them has nothing else of ours."""
TREE_SIZES: Final = (1, 2, 3, 5, 8, 13)
LEAF_CASES: Final = 3

_OPENING: Final = (
    address_of_key(CLAIMANT_KEY),
    sha256(b"source"),
    sha256(b"content salt"),
    keccak256(b"record part"),
)


def leaf_vectors() -> dict[str, Json]:
    """Leaves, roots and paths."""
    return {
        "leafCount": LEAF_CASES,
        "leaves": [_leaf_case(number) for number in range(LEAF_CASES)],
        "treeCount": len(TREE_SIZES),
        "trees": [_tree_case(size) for size in TREE_SIZES],
    }


def _leaf_case(number: int) -> dict[str, Json]:
    seed = b"case %d " % number
    claimant = address_from_bytes(keccak256(seed + b"claimant")[12:])
    content, record = sha256(seed + b"content"), sha256(seed + b"record")
    content_salt, record_salt = sha256(seed + b"salt 1"), sha256(seed + b"salt 2")
    content_part = commit_content(content, content_salt)
    record_part = commit_record(record, record_salt)
    return {
        "claimant": claimant,
        "contentDigest": hex_word(content),
        "contentSalt": hex_word(content_salt),
        "contentPart": hex_word(content_part),
        "recordDigest": hex_word(record),
        "recordSalt": hex_word(record_salt),
        "recordPart": hex_word(record_part),
        "leaf": hex_word(hash_leaf(claimant, content_part, record_part)),
        "deed": hex_word(word(derive_deed_id(claimant, content))),
    }


def _tree_case(size: int) -> dict[str, Json]:
    leaves = [LeafHash(keccak256(b"leaf %d" % index)) for index in range(size)]
    tree = MerkleTree(leaves)
    return {
        "size": size,
        "leaves": [hex_word(leaf) for leaf in leaves],
        "root": hex_word(tree.root),
        "paths": [[hex_word(node) for node in tree.prove(at).path] for at in range(size)],
    }


def typed_data_vectors() -> dict[str, Json]:
    """Every act that can be relayed, twice: with ordinary values, and at the edges."""
    cases: list[Json] = [
        _typed_case(act, arguments, chain_id=chain_id, contract=contract)
        for chain_id, contract, acts in (
            (CHAIN.chain_id, CONTRACT, _ordinary_acts()),
            (1, address_from_bytes(keccak256(b"another contract")[12:]), _edge_acts()),
        )
        for act, arguments in acts.items()
    ]
    return {"caseCount": len(cases), "types": dict(ACTS), "cases": cases}


def _ordinary_acts() -> dict[str, dict[str, Any]]:
    words = [keccak256(b"word %d" % number) for number in range(4)]
    numbers = sorted(int.from_bytes(item, "big") for item in words[:2])
    leaf, tree = _opened_leaf()
    return {
        "Anchor": {"root": words[0], "size": 1_024},
        "Issue": {
            "leaf": leaf,
            "root": tree.root,
            "anchoredBy": address_of_key(SENDER_KEY),
            "royalty": 500,
            "parents": numbers,
        },
        "Withdraw": {"leaf": words[0]},
        "WithdrawDeed": {"deed": numbers[0]},
        "Supersede": {"subject": words[0], "successor": words[1]},
        "RecordEvent": {"subject": words[0], "kind": keccak256(b"published"), "digest": words[1]},
        "DeclareKey": {
            "key": address_of_key(CLAIMANT_KEY),
            "successor": address_of_key(SENDER_KEY),
            "since": 1_790_000_000,
        },
        "PublishBinding": {
            "bindingHash": words[0],
            "endpoint": "https://registry.example/sbr",
            "manifestId": "urn:c2pa:00000000-0000-4000-8000-000000000001",
        },
    }


def _edge_acts() -> dict[str, dict[str, Any]]:
    nothing, most = bytes(32), 2**256 - 1
    leaf, tree = _opened_leaf()
    return {
        "Anchor": {"root": nothing, "size": 2**32},
        "Issue": {
            "leaf": leaf,
            "root": tree.root,
            "anchoredBy": ZERO_ADDRESS,
            "royalty": 0,
            "parents": [],
        },
        "Withdraw": {"leaf": nothing},
        "WithdrawDeed": {"deed": most},
        "Supersede": {"subject": nothing, "successor": nothing},
        "RecordEvent": {"subject": nothing, "kind": nothing, "digest": nothing},
        "DeclareKey": {"key": ZERO_ADDRESS, "successor": ZERO_ADDRESS, "since": 2**64 - 1},
        "PublishBinding": {"bindingHash": nothing, "endpoint": "", "manifestId": "子猫"},
    }


def _opened_leaf() -> tuple[LeafHash, MerkleTree]:
    claimant, content, salt, record = _OPENING
    leaf = hash_leaf(claimant, commit_content(content, salt), record)
    return leaf, MerkleTree([leaf])


def _typed_case(
    act: str, arguments: dict[str, Any], *, chain_id: int, contract: Address
) -> dict[str, Json]:
    deadline = 2**256 - 1 if chain_id == 1 else 2_000_000_000
    message = {"actor": address_of_key(CLAIMANT_KEY)} | arguments | {"deadline": deadline}
    digest = Keccak256(digest_act(act, message, chain_id=chain_id, contract=contract))
    signature = sign_digest(CLAIMANT_KEY, digest)
    return {
        "type": act,
        "chainId": chain_id,
        "contract": contract,
        "arguments": {name: _plain(value) for name, value in message.items()},
        "digest": hex_word(digest),
        "signature": hex_word(signature),
        "call": hex_word(_encode_relayed(act, arguments, deadline, signature)),
    }


def _encode_relayed(act: str, arguments: dict[str, Any], deadline: int, signature: bytes) -> bytes:
    """Call data of the relayed function, by eth-abi."""
    interface: Any = load_interface()
    contract = Web3().eth.contract(abi=interface)
    if act == "Issue":
        inclusion: tuple[Any, ...] = (arguments["root"], arguments["anchoredBy"], 0, 1, [])
        terms = (arguments["royalty"], arguments["parents"])
        values = [_OPENING, inclusion, *terms, deadline, signature]
    else:
        actor = address_of_key(CLAIMANT_KEY)
        values = [*arguments.values(), actor, deadline, signature]
    function = f"{act[0].lower()}{act[1:]}For"
    return bytes.fromhex(contract.encode_abi(function, values)[2:])


def _plain(value: Any) -> Json:
    """Words as hex, numbers in decimal: JSON readers round those above 2^53."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return hex_word(value) if isinstance(value, bytes) else str(value)


def canonical_vectors() -> dict[str, Json]:
    """Digests and bytes of everything that is signed, hashed or kept."""
    bundle = sample_bundle()
    dossier, record = bundle.dossier, bundle.dossier.record
    claim = record.signed_claim.claim
    encoded = encode_bundle(bundle)
    return {
        "claim": {
            "domain_separator": hex_word(hash_domain(DOMAIN)),
            "digest": hex_word(hash_claim(claim, DOMAIN)),
            "signature": hex_word(record.signed_claim.signature),
            "registration_id": identify_claim(claim, DOMAIN),
            "typed_data": describe_claim(claim, DOMAIN),
        },
        "fingerprints_sha256": claim.fingerprints_digest.hex(),
        "disclosure": _text(encode_disclosure(dossier.disclosure)),
        "disclosure_sha256": claim.disclosure_digest.hex(),
        "rights": _text(encode_rights(dossier.rights)),
        "rights_sha256": claim.rights_digest.hex(),
        "lineage": _text(encode_lineage(dossier.lineage)) if dossier.lineage else None,
        "lineage_sha256": claim.lineage_digest.hex() if claim.lineage_digest else None,
        "record": _text(encode_record(record)),
        "record_sha256": digest_record(record).hex(),
        "leaf": hex_word(leaf_of_record(record, dossier.salts)),
        "transaction_hash": hex_word(bundle.own.anchor.transaction),
        "bundle": _text(encoded),
        "bundle_sha256": digest_document(encoded).hex(),
        **_beside_bundles(),
    }


def _beside_bundles() -> dict[str, Json]:
    """What no bundle holds: openings, consents, signed disclosures, headers of snapshots."""
    registration_id = sample_bundle().dossier.registration_id
    consent = commit_consent(sha256(b"consent"), sha256(b"salt 5"))
    signed = sample_signed_disclosure()
    return {
        "openings": _text(encode_openings(registration_id, SAMPLE_OPENINGS)),
        "consent": {
            "commitment": hex_word(consent),
            "leaf": hex_word(hash_consent_leaf(consent, b"signature")),
        },
        "disclosure_signature": {
            "document": _text(encode_signed_disclosure(signed)),
            "digest": hex_word(hash_disclosure(signed.statement)),
            "typed_data": describe_disclosure(signed.statement),
        },
        "snapshot_header": _text(encode_header(SAMPLE_HEADER)),
        "snapshot_digest": hex_word(hash_snapshot(sha256(b"lines"), 2)),
    }


def _text(document: dict[str, Json]) -> str:
    return encode_document(document).decode("utf-8")


def render_vectors() -> dict[Path, str]:
    """All files and what belongs in them."""
    documents = {
        "leaves.json": leaf_vectors(),
        "typed_data.json": typed_data_vectors(),
        "canonical.json": canonical_vectors(),
    }
    vectors = {
        VECTORS / name: json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        for name, document in documents.items()
    }
    return vectors | {path: _list_versions(path.read_text(encoding="utf-8")) for path in NAMING}


def _list_versions(text: str) -> str:
    """The text with a row for each version of our contracts, in Python or in a table."""
    versions = [version for name in ContractName for version in list_versions(name)]
    code = [f'    "{hex_word(one.code_hash)}": ("{one.name}", {one.number}),\n' for one in versions]
    cells = [
        f"| `{one.name}` | {one.number} | `{hex_word(one.code_hash)}` | `{one.usual_address}` "
        f"| {one.head_slot} | {'none' if one.anchors_slot is None else one.anchors_slot} |\n"
        for one in versions
    ]
    text = re.sub(r'(?m)(^    "0x[0-9a-f]{64}": .*\n)+', "".join(code), text)
    return re.sub(r"(?m)(^\| `\w+` \| \d+ \| `0x[0-9a-f]{64}` .*\n)+", "".join(cells), text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    return write_or_check(render_vectors(), check=check)


if __name__ == "__main__":
    sys.exit(main())
