"""What each act costs: real transactions on a real anvil, in gas as the receipts tell it.

Steady state: the senders have sent before and the contract holds events. An issue opens a leaf at
depth 10, names no parents and is its holder's first deed. A transfer leaves its holder another deed
and goes to somebody who holds one. Signatures are chosen without zero bytes, which cost less, so
that the figures do not depend on the contract's address. The last line is one JSON object.
``--write`` also keeps all figures in ``contracts/gas.json``, ``--check`` compares.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from generated_files import write_or_check
from typed_data import digest_act

from titledeed.canonical.documents import hex_word
from titledeed.canonical.hashing import keccak256
from titledeed.canonical.identifiers import ZERO_ADDRESS, derive_deed_id
from titledeed.canonical.leaves import commit_content, hash_leaf
from titledeed.canonical.merkle import MerkleTree
from titledeed.chain.development.anvil import Anvil, find_anvil
from titledeed.chain.evm import open_web3
from titledeed.chain.pin import Genesis
from titledeed.chain.rpc import ask
from titledeed.models.primitives import Address, Keccak256, LeafHash, Sha256
from titledeed.proofs.contract import (
    CREATE2_FACTORY,
    DEPLOYMENT_SALT,
    load_artifact,
    load_interface,
)
from titledeed.proofs.rpc_values import parse_object, parse_quantity
from titledeed.proofs.signatures import address_of_key, sign_digest
from titledeed.proofs.transactions import Transaction, encode_signed, signing_digest

SNAPSHOT: Final = Path(__file__).resolve().parent.parent / "contracts" / "gas.json"

BUDGETS: Final = {
    "anchor": 53_000,
    "anchorFor": 62_000,
    "issue": 120_000,
    "issueFor": 125_000,
    "recordEvent": 40_000,
    "recordEventFor": 50_000,
    "withdraw": 45_000,
    "withdrawLeaf": 31_000,
    "transfer": 48_170,  # 5,500 above version 1, which does not count transfers: 42,670
}
PRINTED: Final = tuple(name for name in BUDGETS if name not in {"recordEventFor", "transfer"})
"""The members of the last line."""

ELSEWHERE: Final = {
    "anchor": "EAS timestamp 45,903; multiTimestamp 24,801 for each of 100",
    "anchorFor": "one-slot register by EIP-712 55,028",
    "issue": "EAS attest 181,754 to 344,577; ERC-721 first mint 72,883, no proof",
    "issueFor": "",
    "recordEvent": "EAS attest 181,754",
    "recordEventFor": "",
    "withdraw": "EAS revoke 60,215",
    "withdrawLeaf": "EAS revokeOffchain 46,572",
    "transfer": "",
}
"""Receipts of EAS 1.4 and OpenZeppelin's ERC-721 (solc 0.8.37, via-IR, 200 runs)."""

_CHAIN_ID: Final = 7_001_002_003
_TIMESTAMP: Final = 1_790_000_000
_DEPTH: Final = 10
_ROYALTY: Final = 500
_GWEI: Final = 10**9


def _key(label: str) -> bytes:
    return keccak256(b"titledeed gas: " + label.encode())


@dataclass(frozen=True, slots=True)
class _Claim:
    """One content of one claimant, as the leaf 600 of a tree of 1,024."""

    claimant: Address
    label: str

    @property
    def content(self) -> Sha256:
        return Sha256(_key(f"content {self.label}"))

    @property
    def opening(self) -> tuple[Any, ...]:
        salt, record = _key(f"salt {self.label}"), _key(f"record {self.label}")
        return (self.claimant, self.content, salt, record)

    @property
    def leaf(self) -> LeafHash:
        _, content, salt, record = self.opening
        return hash_leaf(self.claimant, commit_content(content, salt), Keccak256(record))

    @property
    def deed(self) -> int:
        return derive_deed_id(self.claimant, self.content)

    @property
    def tree(self) -> MerkleTree:
        leaves = [LeafHash(Keccak256(_key(f"leaf {at}"))) for at in range(2**_DEPTH)]
        leaves[600] = self.leaf
        return MerkleTree(leaves)

    def inclusion(self, anchored_by: Address) -> tuple[Any, ...]:
        tree = self.tree
        proof = tree.prove(600)
        return (tree.root, anchored_by, proof.index, proof.size, list(proof.path))


@dataclass(slots=True)
class _Meter:
    """Sends calls of known keys to one contract and reads the gas that they took."""

    anvil: Anvil
    contract: Address = field(default_factory=lambda: load_artifact().address)
    nonces: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def deploy(self, key: bytes) -> int:
        return self._send(key, CREATE2_FACTORY, DEPLOYMENT_SALT + load_artifact().creation_code)

    def call(self, key: bytes, function: str, *arguments: Any) -> int:
        interface: Any = load_interface()
        contract = open_web3(self.anvil.node).eth.contract(abi=interface)
        data = contract.encode_abi(function, list(arguments))
        return self._send(key, self.contract, bytes.fromhex(data[2:]))

    def sign(self, key: bytes, act: str, message: dict[str, Any]) -> tuple[int, bytes]:
        """The first deadline whose signature has no zero byte, and that signature."""
        for deadline in range(_TIMESTAMP + 2**24, _TIMESTAMP + 2**25):
            digest = digest_act(
                act,
                message | {"actor": address_of_key(key), "deadline": deadline},
                chain_id=_CHAIN_ID,
                contract=self.contract,
            )
            signature = sign_digest(key, Keccak256(digest))
            if 0 not in signature and 0 not in deadline.to_bytes(4, "big"):
                return deadline, signature
        raise RuntimeError("every signature has a zero byte")

    def _send(self, key: bytes, to: Address, data: bytes) -> int:
        nonce = self.nonces.get(key, 0)
        self.nonces[key] = nonce + 1
        transaction = Transaction(_CHAIN_ID, nonce, _GWEI, 10 * _GWEI, 4_000_000, to, 0, data)
        raw = encode_signed(transaction, sign_digest(key, signing_digest(transaction)))
        node = self.anvil.node
        known = ask(node, "eth_sendRawTransaction", hex_word(raw))
        ask(node, "evm_mine")
        receipt = parse_object(ask(node, "eth_getTransactionReceipt", known))
        if parse_quantity(receipt.get("status")) != 1:
            raise RuntimeError("the contract refused a call that is to be measured")
        return parse_quantity(receipt.get("gasUsed"))


def measure() -> dict[str, int]:
    """Gas of whole transactions, by the names of ``BUDGETS``."""
    keys = {label: _key(label) for label in ("sender", "alice", "bob", "carol")}
    genesis = Genesis(
        timestamp=_TIMESTAMP,
        coinbase=ZERO_ADDRESS,
        funded=tuple(map(address_of_key, keys.values())),
        deployment=b"",
    )
    anvil = Anvil(binary=find_anvil(), chain_id=_CHAIN_ID, genesis=genesis)
    try:
        meter = _Meter(anvil)
        meter.deploy(keys["sender"])
        return dict(_measure(meter, **keys))
    finally:
        anvil.close()


def _measure(
    meter: _Meter, *, sender: bytes, alice: bytes, bob: bytes, carol: bytes
) -> Iterator[tuple[str, int]]:
    payer, relayed = address_of_key(sender), _relayed(meter, sender)
    first, second = _Claim(address_of_key(alice), "first"), _Claim(address_of_key(bob), "second")
    kind, digest = keccak256(b"published"), _key("document")
    for key in (sender, alice):
        meter.call(key, "anchor", _key("warm"), 1)

    yield "anchor", meter.call(sender, "anchor", first.tree.root, 2**_DEPTH)
    meter.call(sender, "anchor", second.tree.root, 2**_DEPTH)
    root = _key("relayed root")
    yield "anchorFor", relayed("anchorFor", carol, "Anchor", {"root": root, "size": 2**_DEPTH})

    at = first.inclusion(payer)
    yield "issue", meter.call(alice, "issue", first.opening, at, _ROYALTY, [])
    yield "issueFor", _issue_for(meter, sender, bob, second)

    subject = first.deed.to_bytes(32, "big")
    yield "recordEvent", meter.call(alice, "recordEvent", subject, kind, digest)
    entry = {"subject": second.deed.to_bytes(32, "big"), "kind": kind, "digest": digest}
    yield "recordEventFor", relayed("recordEventFor", bob, "RecordEvent", entry)
    yield "withdraw", meter.call(alice, "withdrawDeed", first.deed)
    yield "withdrawLeaf", meter.call(alice, "withdraw", _key("some leaf"))
    yield "transfer", _transfer(meter, sender, alice, address_of_key(bob))


def _relayed(meter: _Meter, payer: bytes) -> Callable[[str, bytes, str, dict[str, Any]], int]:
    def call(function: str, actor: bytes, act: str, message: dict[str, Any]) -> int:
        deadline, signature = meter.sign(actor, act, message)
        arguments = (*message.values(), address_of_key(actor), deadline, signature)
        return meter.call(payer, function, *arguments)

    return call


def _issue_for(meter: _Meter, payer: bytes, actor: bytes, claim: _Claim) -> int:
    inclusion = claim.inclusion(address_of_key(payer))
    message = {
        "leaf": claim.leaf,
        "root": inclusion[0],
        "anchoredBy": inclusion[1],
        "royalty": _ROYALTY,
        "parents": [],
    }
    deadline, signature = meter.sign(actor, "Issue", message)
    return meter.call(
        payer, "issueFor", claim.opening, inclusion, _ROYALTY, [], deadline, signature
    )


def _transfer(meter: _Meter, payer: bytes, holder: bytes, to: Address) -> int:
    """Of a second deed, which never changed hands before, to somebody who holds another."""
    claim = _Claim(address_of_key(holder), "third")
    meter.call(payer, "anchor", claim.tree.root, 2**_DEPTH)
    inclusion = claim.inclusion(address_of_key(payer))
    meter.call(holder, "issue", claim.opening, inclusion, _ROYALTY, [])
    return meter.call(holder, "transferFrom", claim.claimant, to, claim.deed)


def render_snapshot(figures: dict[str, int]) -> str:
    """The text of ``contracts/gas.json``."""
    return json.dumps(figures, indent=2) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the figures")
    parser.add_argument("--check", action="store_true", help="compare with the kept figures")
    arguments = parser.parse_args()
    figures = measure()
    status = 0
    if arguments.write or arguments.check:
        status = write_or_check({SNAPSHOT: render_snapshot(figures)}, check=arguments.check)
    print(f"{'whole transaction':<16}{'gas':>9}{'budget':>9}  measured elsewhere")
    for name, gas in figures.items():
        print(f"{name:<16}{gas:>9,}{BUDGETS[name]:>9,}  {ELSEWHERE[name]}".rstrip())
    print(json.dumps({name: figures[name] for name in PRINTED}))
    over = any(gas > BUDGETS[name] for name, gas in figures.items())
    return 1 if over else status


if __name__ == "__main__":
    sys.exit(main())
