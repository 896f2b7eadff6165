"""A second verifier of evidence bundles, written from ``docs/reference/evidence-bundle.md`` alone.

It needs Python and pycryptodome's Keccak-256, and nothing of Titledeed. It covers record, leaf,
Merkle root, storage proof, account proof and block header, and reports the rest as ``not checked``.

Exit codes: 0 everything that is checked holds, 12 something does not, 1 the file is no bundle.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Crypto.Hash import keccak

CODE_HASH = "0xd7cb8c085c27fd58f965039dbd601f2b5c3611d0f5661b9f229a36924b36039b"
ANCHORS_SLOT = 1
NOT_CHECKED = ("claim_signature", "documents", "chain", "transaction", "timestamp")

SIZE_MAX, INTEGER_MAX, TIME_MAX = 2**32, 2**53 - 1, 253_402_300_799
HEADER_LENGTH_MAX, NODES_MAX, NODE_LENGTH_MAX, NESTING_MAX = 4_096, 65, 1_024, 8
HEADER_LENGTHS = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}

Rlp = Any  # bytes, or a list of such
Found = tuple[str, "Block | None"]


class EvidenceError(Exception):
    """The bundle does not hold; a ``ValueError`` says that the file is none."""


@dataclass(frozen=True)
class Block:
    """What the proven header says."""

    number: int
    hash: bytes
    timestamp: int


def require(condition: object, problem: str) -> None:
    if not condition:
        raise EvidenceError(problem)


def keccak256(*parts: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=b"".join(parts)).digest()


def tag(name: str) -> bytes:
    return keccak256(b"titledeed.%s.v1" % name.encode("ascii"))


def read_bundle(data: bytes) -> dict[str, Any]:
    """A document whose keys are ASCII and unique, and whose numbers are integers below 2^53."""
    bundle = json.loads(
        data.decode("utf-8"),
        object_pairs_hook=plain_object,
        parse_int=lambda digits: integer(int(digits), -INTEGER_MAX, INTEGER_MAX),
        parse_float=lambda digits: integer(digits, 0, 0),
        parse_constant=lambda name: integer(name, 0, 0),
    )
    if not isinstance(bundle, dict) or bundle.get("schema") != "titledeed.bundle/1":
        raise ValueError("no document of schema titledeed.bundle/1")
    return bundle


def plain_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs) or not all(key.isascii() for key, _ in pairs):
        raise ValueError("a key appears twice, or is not ASCII")
    return dict(pairs)


def integer(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{value!r} is no integer from {low} to {high}")
    return value


def binary(value: Any, length: int = 0, *, length_max: int = 0, prefix: str = "0x") -> bytes:
    if not re.fullmatch(f"{prefix}(?:[0-9a-f][0-9a-f])+", value):
        raise ValueError(f"{value!r} is no lower-case hex")
    raw = bytes.fromhex(value.removeprefix(prefix))
    if (length and len(raw) != length) or (length_max and len(raw) > length_max):
        raise ValueError(f"{value!r} has a wrong length")
    return raw


def address(value: Any) -> bytes:
    """20 bytes whose mixed case is that of EIP-55."""
    raw = binary(str(value).lower(), 20)
    checks = keccak256(raw.hex().encode("ascii")).hex()
    mixed = [d.upper() if int(c, 16) >= 8 else d for d, c in zip(raw.hex(), checks, strict=False)]
    if value != "0x" + "".join(mixed):
        raise ValueError(f"{value!r} is no address in EIP-55 form")
    return raw


def canonical(value: Any) -> bytes:
    """RFC 8785, for what ``read_bundle`` lets pass.

    Python escapes strings as RFC 8785 does, integers below 2^53 look the same in both, and keys of
    ASCII have one order, whether by code points or by UTF-16.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_of(dossier: dict[str, Any]) -> bytes:
    record, salts = dossier["record"], dossier["salts"]
    claim = record["claim"]
    content = binary(claim["content_sha256"], 32, prefix="")
    content_part = keccak256(tag("content"), content, binary(salts["content"], 32))
    digest = hashlib.sha256(canonical(record)).digest()
    record_part = keccak256(tag("record"), digest, binary(salts["record"], 32))
    claimant = address(claim["claimant"]).rjust(32, b"\0")
    return keccak256(tag("leaf"), claimant, content_part, record_part)


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2, and the size bound to the top."""
    require(index < size, "the index is not below the size")
    node, position, last = leaf, index, size - 1
    for sibling in path:
        require(last > 0, "the path is too long")
        if position % 2 == 1 or position == last:
            node = keccak256(b"\x01", sibling, node)
            while position % 2 == 0 and position > 0:
                position, last = position // 2, last // 2
        else:
            node = keccak256(b"\x01", node, sibling)
        position, last = position // 2, last // 2
    require(last == 0, "the path is too short")
    return keccak256(tag("root"), size.to_bytes(32, "big"), node)


def check_inclusion(bundle: dict[str, Any]) -> Found:
    proof, anchor = bundle["proof"], bundle["anchor"]
    index, size = integer(proof["index"], 0, SIZE_MAX - 1), integer(proof["size"], 1, SIZE_MAX)
    path = [binary(node, 32) for node in proof["path"]]
    require(size == integer(anchor["size"], 1, SIZE_MAX), "proof and anchor differ in size")
    leaf, root = leaf_of(bundle["dossier"]), binary(anchor["root"], 32)
    require(root_of(leaf, index, size, path) == root, "the path does not lead to the root")
    return "holds", None


def decode_rlp(data: bytes) -> Rlp:
    item, end = rlp_item(data, 0, NESTING_MAX)
    require(end == len(data), "RLP is followed by other bytes")
    return item


def rlp_item(data: bytes, at: int, depth: int) -> tuple[Rlp, int]:
    require(depth > 0 and at < len(data), "no RLP")
    head = data[at]
    if head < 0x80:
        return data[at : at + 1], at + 1
    base = 0xC0 if head >= 0xC0 else 0x80
    start, length = at + 1, head - base
    if length > 55:
        start += length - 55
        size = data[at + 1 : start]
        length = int.from_bytes(size, "big")
        require(size[:1] != b"\0" and length > 55, "RLP with a wasteful length")
    end = start + length
    require(end <= len(data), "RLP ends too early")
    if base == 0x80:
        require(length != 1 or data[start] >= 0x80, "RLP with a wasteful byte")
        return data[start:end], end
    items = []
    while start < end:
        item, start = rlp_item(data[:end], start, depth - 1)
        items.append(item)
    return items, end


def number_of(item: Rlp) -> int:
    require(isinstance(item, bytes) and len(item) <= 32 and item[:1] != b"\0", "no RLP number")
    return int.from_bytes(item, "big")


def look_up(root: bytes, key: bytes, proof: list[bytes]) -> bytes:
    """What the trie with this root holds under Keccak-256 of the key."""
    path, expected = keccak256(key).hex(), root
    for at, raw in enumerate(proof):
        require(keccak256(raw) == expected, "a node has another hash than its parent names")
        node = decode_rlp(raw)
        require(isinstance(node, list) and len(node) in {2, 17}, "no node of a trie")
        if len(node) == 17:
            require(path, "the path ends at a branch")
            expected, path = node[int(path[0], 16)], path[1:]
        else:
            require(isinstance(node[0], bytes) and node[0], "no path in a node")
            flag, digits = node[0][0] >> 4, node[0].hex()
            require(flag < 4 and (flag % 2 or digits[1] == "0"), "no path in a node")
            own = digits[1 if flag % 2 else 2 :]
            require(path.startswith(own), "the path leads elsewhere")
            expected, path = node[1], path[len(own) :]
            if flag >= 2:
                require(not path and at == len(proof) - 1, "nodes beside the path")
                require(isinstance(expected, bytes) and expected, "no value")
                return bytes(expected)
        require(isinstance(expected, bytes) and len(expected) == 32, "the path ends early")
    raise EvidenceError("the path ends early")


def open_header(header: bytes) -> tuple[Block, bytes]:
    """The block and its state root."""
    items = decode_rlp(header)
    is_header = isinstance(items, list) and len(items) >= 15
    require(is_header and all(isinstance(item, bytes) for item in items), "no block header")
    require(all(len(items[at]) == n for at, n in HEADER_LENGTHS.items()), "no block header")
    number, timestamp = number_of(items[8]), number_of(items[11])
    require(number <= INTEGER_MAX and timestamp <= TIME_MAX, "number or time out of range")
    return Block(number, keccak256(header), timestamp), items[3]


def read_nodes(values: Any) -> list[bytes]:
    if len(values) > NODES_MAX:
        raise ValueError("a proof is too long")
    return [binary(value, length_max=NODE_LENGTH_MAX) for value in values]


def check_state(bundle: dict[str, Any]) -> Found:
    proof, anchor = bundle["state_proof"], bundle["anchor"]
    if proof is None:
        return "not given", None
    block, state_root = open_header(binary(proof["header"], length_max=HEADER_LENGTH_MAX))
    contract = address(bundle["chain"]["contract"])
    account = decode_rlp(look_up(state_root, contract, read_nodes(proof["account_proof"])))
    require(isinstance(account, list) and len(account) == 4, "no account")
    require(account[3] == binary(CODE_HASH, 32), "the account is another contract")
    caller = address(anchor["caller"]).rjust(32, b"\0")
    slot = keccak256(
        caller, keccak256(binary(anchor["root"], 32), ANCHORS_SLOT.to_bytes(32, "big"))
    )
    value = number_of(decode_rlp(look_up(account[2], slot, read_nodes(proof["storage_proof"]))))
    time = integer(anchor["block_timestamp"], 0, TIME_MAX)
    sequence = integer(anchor["sequence"], 1, 2**48 - 1)
    require(value >> 160 == (time << 48) + sequence, "the storage holds another time or sequence")
    number = integer(anchor["block_number"], 0, INTEGER_MAX)
    require(block.number >= number and block.timestamp >= time, "the block is too old")
    if block.number == number:
        own = (binary(anchor["block_hash"], 32), time)
        require((block.hash, block.timestamp) == own, "the block is not the anchor's")
    return "holds", block


def verify(bundle: dict[str, Any]) -> tuple[dict[str, str], Block | None]:
    """The result of each check, and the block whose hash is left to compare."""
    results: dict[str, str] = dict.fromkeys(NOT_CHECKED, "not checked")
    block = None
    for name, check in (("inclusion", check_inclusion), ("state", check_state)):
        try:
            results[name], block = check(bundle)
        except EvidenceError as error:
            results[name] = f"fails: {error}"
    return results, block


def by_hand(bundle: dict[str, Any], block: Block | None) -> str:
    anchor, chain = bundle["anchor"], bundle["chain"]
    number = block.number if block else integer(anchor["block_number"], 0, INTEGER_MAX)
    block_hash = block.hash if block else binary(anchor["block_hash"], 32)
    return (
        f"block {number} of chain {integer(chain['chain_id'], 1, INTEGER_MAX)} (genesis "
        f"0x{binary(chain['genesis_hash'], 32).hex()}) has hash 0x{block_hash.hex()}, and contract "
        f"0x{address(chain['contract']).hex()} was created from TitleDeed's sources"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the core of an evidence bundle.")
    parser.add_argument("file", type=Path, help="an evidence bundle")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    try:
        bundle = read_bundle(arguments.file.read_bytes())
        results, block = verify(bundle)
        compare = by_hand(bundle, block)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        print(f"{arguments.file} is no evidence bundle: {error!r}"[:500], file=sys.stderr)
        return 1
    holds = not any(result.startswith("fails") for result in results.values())
    if arguments.json:
        print(json.dumps({"holds": holds, "checks": results, "by_hand": compare}))
    else:
        print("\n".join(f"{name:16} {result}" for name, result in results.items()))
        print(f"Compare by hand that {compare}.")
    return 0 if holds else 12


if __name__ == "__main__":
    sys.exit(main())
