"""Names for bytes and strings that must not be mixed."""

from __future__ import annotations

from typing import NewType

Address = NewType("Address", str)
"""An Ethereum address in EIP-55 mixed-case form."""

Sha256 = NewType("Sha256", bytes)
"""SHA-256 of a file or of a canonical document, 32 bytes."""

Keccak256 = NewType("Keccak256", bytes)
"""Keccak-256, 32 bytes: leaves, nodes, roots, EIP-712 digests, block and transaction hashes."""

LeafHash = NewType("LeafHash", Keccak256)
MerkleRoot = NewType("MerkleRoot", Keccak256)
TransactionHash = NewType("TransactionHash", Keccak256)
BlockHash = NewType("BlockHash", Keccak256)

DeedId = NewType("DeedId", int)
"""Token id of a deed (ERC-721), a uint256; see ``canonical.identifiers.derive_deed_id``."""

Subject = NewType("Subject", bytes)
"""What an entry on chain is about, 32 bytes: a leaf, or a deed id once it is issued."""

Salt = NewType("Salt", bytes)
"""32 random bytes that hide a digest until its holder opens it."""

Signature = NewType("Signature", bytes)
"""A claimant's signature: 65 bytes r ‖ s ‖ v for a key of the claimant's own."""

RegistrationId = NewType("RegistrationId", str)
"""``td1`` and 32 base32 characters; see ``canonical.identifiers``."""
