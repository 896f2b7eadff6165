"""A second verifier of evidence bundles, written from ``docs/reference/evidence-bundle.md`` alone.

It needs Python and pycryptodome's Keccak-256. Signatures, transactions, time-stamps, the Claim's
sentence, arguments of events, and fields that no check needs or nobody knows are not looked at.

Exit codes: 0 everything that is checked holds, 12 something does not, 1 the file is no bundle.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from Crypto.Hash import keccak

VERSIONS = {
    "0xd7cb8c085c27fd58f965039dbd601f2b5c3611d0f5661b9f229a36924b36039b": ("TitleDeed", 1),
    "0xad8b990d03cbdd17b20161e60f79dc73053a4eaa67326be32191868b6ca62b90": ("TitleDeed", 2),
}
HEAD_SLOT, ANCHORS_SLOT = 0, 1
EVENTS = {
    "Anchored": "bytes32,address,uint64",
    "Issued": "uint256,bytes32,address,bytes32,bytes32,address,uint16,uint256[]",
    "Withdrawn": "bytes32,address,bool",
    "Superseded": "bytes32,address,bytes32,bool",
    "EventRecorded": "bytes32,address,bytes32,bytes32,bool",
    "KeyDeclared": "address,address,address,uint64",
    "BindingPublished": "bytes32,address,string,string",
}
NOT_CHECKED = ("claim_signature", "statement", "transaction", "timestamp")
INTEGER_MAX, TIME_MAX, NESTING_MAX = 2**53 - 1, 253_402_300_799, 8
EMPTY_TRIE = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
HEADER_LENGTHS = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}
DOMAIN = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""How reading something else than was expected ends."""

Json = dict[str, Any]


class Block(NamedTuple):
    """What a proven header says."""

    number: int
    hash: str
    timestamp: int


class Held(NamedTuple):
    """What a slot held in the state of a block; the last three where that is an entry."""

    block: Block
    number: int
    timestamp: int
    sequence: int
    head: bytes


def require(condition: object, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def raw(value: str, count: str = "+") -> bytes:
    require(re.fullmatch("0x([0-9a-f]{2})" + count, value), f"{value[:80]!r} is not such hex")
    return bytes.fromhex(value[2:])


def word(value: str) -> bytes:
    return raw(value, "{32}")


def digest(value: str) -> bytes:
    return word("0x" + value)


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def address(value: str) -> bytes:
    """20 bytes, whose mixed case is that of EIP-55, as a word."""
    checks = keccak256(value[2:].lower().encode()).hex()
    pairs = zip(value[2:].lower(), checks, strict=False)
    mixed = "0x" + "".join(d.upper() if c > "7" else d for d, c in pairs)
    require(value == mixed and len(value) == 42, f"{value[:80]!r} is no address")
    return raw(value.lower()).rjust(32, b"\0")


def keccak256(*parts: bytes | int) -> bytes:
    """Numbers are hashed as 32 bytes."""
    data = [part.to_bytes(32, "big") if isinstance(part, int) else part for part in parts]
    return keccak.new(digest_bits=256, data=b"".join(data)).digest()


def tag(name: str) -> bytes:
    return keccak256(f"titledeed.{name}.v1".encode())


def sha256(document: Any) -> str:
    """Of base64, or of the RFC 8785 form of an object that ``read_bundle`` lets pass."""
    if isinstance(document, str):
        data = base64.b64decode(document, validate=True)
        require(base64.b64encode(data).decode() == document, "base64 in another form")
        return hashlib.sha256(data).hexdigest()
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_bundle(data: bytes) -> Json:
    """A document of version 2, or of version 1 as if it were one."""
    bundle: Json = json.loads(
        data.decode(),
        object_pairs_hook=read_object,
        parse_int=read_integer,
        parse_float=read_integer,
        parse_constant=read_integer,
    )
    version = ("titledeed.bundle/1", "titledeed.bundle/2").index(bundle["schema"]) + 1
    sha256(bundle)  # there is none of half a surrogate pair
    return bundle if version == 2 else bundle | {"anchors": [bundle], "logs": [], "words": []}


def read_integer(digits: str) -> int:
    require(abs(int(digits)) <= INTEGER_MAX, f"{digits[:80]} is too large")
    return int(digits)


def read_object(pairs: list[tuple[str, Any]]) -> Json:
    are_fine = len(dict(pairs)) == len(pairs) and all(key.isascii() for key, _ in pairs)
    require(are_fine, "a key appears twice, or is not ASCII")
    return dict(pairs)


def check_documents(dossier: Json) -> None:
    claim, credential = dossier["record"]["claim"], dossier["record"].get("credential")
    stored = credential["manifest_sha256"] if credential else sha256("")
    require(sha256(dossier.get("manifest_store", "")) == stored, "another manifest store")
    codes = [dict(code) for code in dossier.get("fingerprints", [])]
    for code in codes:
        code["code_sha256"] = sha256(code.pop("code"))
    listed = {"schema": "titledeed.fingerprints/1", "fingerprints": codes}
    require(sha256(listed) == claim["fingerprints_sha256"], "other fingerprints")
    for name in ("disclosure", "rights", "lineage"):
        if f"{name}_sha256" in claim or name in dossier:
            require(sha256(dossier[name]) == claim[f"{name}_sha256"], f"another {name}")
    require(identify(claim) == dossier["registration_id"], "the id is of another claim")


def identify(claim: Json) -> str:
    names = (keccak256(DOMAIN), keccak256(b"Titledeed"), keccak256(b"1"))
    separator = keccak256(*names, claim["chain_id"], address(claim["contract"]))
    claimed = address(claim["claimant"]) + digest(claim["content_sha256"])
    hashed = keccak256(tag("registration"), separator, claimed)
    return "td1" + base64.b32encode(hashed[:20]).decode().lower()


def check_chain(bundle: Json) -> None:
    claim = bundle["dossier"]["record"]["claim"]
    chains = [one["chain"] for one in bundle["anchors"]]
    places = [(one["chain_id"], one["contract"], one["genesis_hash"]) for one in chains]
    require((claim["chain_id"], claim["contract"]) == places[0][:2], "a claim for another chain")
    require(len(set(places)) == len(places), "two anchors are in the same place")


def leaf_of(dossier: Json) -> bytes:
    record, salts, claim = dossier["record"], dossier["salts"], dossier["record"]["claim"]
    content = keccak256(tag("content"), digest(claim["content_sha256"]), word(salts["content"]))
    rest = keccak256(tag("record"), digest(sha256(record)), word(salts["record"]))
    return keccak256(tag("leaf"), address(claim["claimant"]), content, rest)


def check_inclusion(dossier: Json, one: Json) -> None:
    """RFC 9162, section 2.1.3.2, and the size bound to the top."""
    proof, anchor, node = one["proof"], one["anchor"], leaf_of(dossier)
    position, last = proof["index"], proof["size"] - 1
    require(proof["size"] == anchor["size"] and 0 <= position <= last, "index or size does not fit")
    for sibling in map(word, proof["path"]):
        require(last > 0, "the path is too long")
        if position % 2 == 1 or position == last:
            node = keccak256(b"\x01", sibling, node)
            while position % 2 == 0 and position > 0:
                position, last = position // 2, last // 2
        else:
            node = keccak256(b"\x01", node, sibling)
        position, last = position // 2, last // 2
    root = keccak256(tag("root"), proof["size"], node)
    require(last == 0 and root == word(anchor["root"]), "the path does not lead to the root")


def rlp(data: bytes, depth: int = NESTING_MAX) -> list[Any]:
    """The items that stand one after another: byte strings, and lists of items."""
    items: list[Any] = []
    while data:
        head, start, length = data[0], 1, data[0] % 64
        if head < 0x80:
            start, length = 0, 1
        elif length > 55:
            start = length - 54
            length = int.from_bytes(data[1:start], "big")
            require(data[1:2] > b"\0" and length > 55, "RLP with a wasteful length")
        item, data = data[start : start + length], data[start + length :]
        require(len(item) == length and depth > 0, "RLP ends too early, or is nested too deep")
        require(head != 0x81 or item >= b"\x80", "RLP with a wasteful byte")
        items.append(rlp(item, depth - 1) if head >= 0xC0 else item)
    return items


def number_of(item: bytes) -> int:
    require(isinstance(item, bytes) and len(item) <= 32 and item[:1] != b"\0", "no RLP number")
    return int.from_bytes(item, "big")


def look_up(root: bytes, key: bytes | int, proof: list[str]) -> Any:
    """What the trie with this root holds under Keccak-256 of the key, itself RLP; or nothing.

    A node that is shorter than its hash stands inside its parent, and not in the proof.
    """
    path, item, nodes = keccak256(key).hex(), root, list(map(raw, proof))
    found = b""
    while item not in (b"", EMPTY_TRIE):
        node: Any = item
        if isinstance(item, bytes):
            require(nodes and keccak256(nodes[0]) == item, "the proof lacks the next node")
            [node] = rlp(nodes.pop(0))
        if len(node) == 17:
            item, path = node[int(path[0], 16)], path[1:]
            continue
        prefix, item = node
        [(kind, own)] = re.findall("^(00|20|1|3)(.*)$", prefix.hex())
        is_leaf, leads_on = kind in {"20", "3"}, path.startswith(own)
        path = path[len(own) :]
        if is_leaf and leads_on and not path:
            [found] = rlp(item)
        if is_leaf or not leads_on:
            break
    require(not nodes, "nodes beside the path")
    return found


def open_header(header: bytes) -> tuple[Block, bytes]:
    """The block and its state root."""
    [items] = rlp(header)
    lengths = {at: len(item) for at, item in enumerate(items) if isinstance(item, bytes)}
    is_header = 15 <= len(items) == len(lengths) and lengths.items() >= HEADER_LENGTHS.items()
    require(is_header, "no block header")
    block = Block(number_of(items[8]), hexed(keccak256(header)), number_of(items[11]))
    require(block.number <= INTEGER_MAX and block.timestamp <= TIME_MAX, "no block of our time")
    return block, items[3]


def read_slot(one: Json, slot: bytes | int) -> Held:
    """By the proof of an anchor, a log or a word; the last two name the contract's version."""
    proof = one["state_proof"]
    block, state_root = open_header(raw(proof["header"]))
    account = look_up(state_root, address(one["chain"]["contract"])[12:], proof["account_proof"])
    require(account, "there is no such account")
    _, _, storage_root, code_hash = account
    version = VERSIONS.get(hexed(code_hash))
    is_named = "version" not in one or version == (one["contract"], one["version"])
    require(version and is_named, "the account is another contract or version")
    number = number_of(look_up(storage_root, slot, proof["storage_proof"]))
    head = number.to_bytes(32, "big")[12:]
    return Held(block, number, number >> 208, (number >> 160) % 2**48, head)


def check_state(one: Json) -> Json:
    anchor = one["anchor"]
    if one.get("state_proof") is None:
        return {}
    slot = keccak256(address(anchor["caller"]), keccak256(word(anchor["root"]), ANCHORS_SLOT))
    held = read_slot(one, slot)
    number, time, block = anchor["block_number"], anchor["block_timestamp"], held.block
    require(held.number and held.timestamp == time, "the storage holds no anchor of this time")
    require(held.sequence == anchor["sequence"], "the storage holds another sequence")
    is_own = block == (number, hexed(word(anchor["block_hash"])), time)
    require(is_own or block.number > number >= 0, "the block is older than the anchor, or another")
    require(block.timestamp >= time, "the block is too old")
    return {"block": block._asdict()}


def require_anchored(chain: Json, bundle: Json) -> None:
    """Logs and words are of a chain, whatever the contract, that dates the Claim."""
    names = ("kind", "chain_id", "genesis_hash")
    anchored = [[one["chain"][name] for name in names] for one in bundle["anchors"]]
    require([chain[name] for name in names] in anchored, "no anchor is on this chain")


def is_known(one: Json) -> bool:
    require(0 < len(one["contract"]) <= 100 and 1 <= one["version"] <= 65_535, "no contract")
    return (one["contract"], one["version"]) in VERSIONS.values()


def check_log(log: Json, bundle: Json) -> Json:
    """What is left to compare: the proven block, or where the log ends."""
    require_anchored(log["chain"], bundle)
    head, sequence, time = raw(log["head"]), log["sequence"], 0
    require(len(head) == 20 and log["events"], "no running hash, or no events")
    require(0 <= sequence < 2**48 and (sequence > 0) is any(head), "no place in a log")
    known = is_known(log)
    for event in log["events"]:
        require(event["block_timestamp"] >= time, "time runs backwards")
        sequence, time = sequence + 1, event["block_timestamp"]
        if known and "data" in event:
            signature = f"{event['kind']}({EVENTS.get(event['kind'])},uint64,bytes20)"
            is_kind = raw(event["data"])[:32] == keccak256(signature.encode())
            require(is_kind, "the event is of another kind")
        hashed = keccak256(raw(event["data"])) if "data" in event else word(event["hash"])
        head = keccak256(head.ljust(32, b"\0"), sequence, time, hashed)[:20]
    if not known or "state_proof" not in log:
        return {"sequence": sequence, "head": hexed(head), "known": known}
    held = read_slot(log, HEAD_SLOT)
    require(held.sequence == sequence, "the storage holds another sequence")
    require(held.head == head, "the storage holds another running hash")
    require(max(held.timestamp, time) <= held.block.timestamp, "the block is too old")
    return {"block": held.block._asdict()}


def check_word(state: Json, bundle: Json) -> Json:
    """What is left to compare: the proven block, or a word of which nothing is proven."""
    require_anchored(state["chain"], bundle)
    slot = state["base"].to_bytes(32, "big")
    for key in state.get("keys", []):
        slot = keccak256(word(key), slot)
    moved = int.from_bytes(slot, "big") + state.get("offset", 0)
    slot, value = (moved % 2**256).to_bytes(32, "big"), word(state["value"])
    if not is_known(state):
        return {"slot": hexed(slot), "value": hexed(value), "known": False}
    held = read_slot(state, slot)
    require(held.number == int.from_bytes(value, "big"), "the storage holds another word")
    return {"block": held.block._asdict()}


def verify(bundle: Json) -> Json:
    """The result of each check, and what is left to compare by hand."""
    results: dict[str, str] = dict.fromkeys(NOT_CHECKED, "not checked")
    dossier, compare = bundle["dossier"], []

    def run(name: str, check: Any, *arguments: Any) -> Any:
        try:
            found = check(*arguments)
            known = not isinstance(found, dict) or found.pop("known", True)
            results[name] = "not given" if found == {} else "holds" if known else "not checked"
        except MALFORMED as error:
            found, results[name] = None, f"fails: {error}"
        return found

    run("documents", check_documents, dossier)
    run("chain", check_chain, bundle)
    for number, one in enumerate(bundle["anchors"]):
        which, anchor = f"[{number}]" if number else "", one["anchor"]
        run(f"inclusion{which}", check_inclusion, dossier, one)
        own = Block(anchor["block_number"], anchor["block_hash"], anchor["block_timestamp"])
        found = run(f"state{which}", check_state, one) or {"block": own._asdict()}
        compare.append(one["chain"] | found)
    for name, check in (("log", check_log), ("word", check_word)):
        for number, one in enumerate(bundle.get("words" if name == "word" else "logs", [])):
            found = run(f"{name}[{number}]" if number else name, check, one, bundle)
            compare += [one["chain"] | found] if found else []
    holds = not any(result.startswith("fails") for result in results.values())
    return {"holds": holds, "checks": results, "by_hand": compare}


def describe(one: Json) -> str:
    """A sentence on something that is left to compare."""
    chain = f"chain {one['chain_id']} (genesis {one['genesis_hash']})"
    contract = f"contract {one['contract']}"
    if "slot" in one:
        return f"Look at slot {one['slot']} of {contract} on {chain}: {one['value']} is not proven."
    if "sequence" in one:
        end = f"running hash {one['head']} after its event {one['sequence']}"
        return f"Compare by hand that {contract} on {chain} had {end}."
    block = f"block {one['block']['number']} of {chain} has hash {one['block']['hash']}"
    return f"Compare by hand that {block}, and {contract} was created from TitleDeed's sources."


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the core of an evidence bundle.")
    parser.add_argument("file", type=Path, help="an evidence bundle")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    try:
        report = verify(read_bundle(arguments.file.read_bytes()))
    except (OSError, *MALFORMED) as error:
        print(f"{arguments.file} is no evidence bundle: {error!r}"[:500], file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(report))
    else:
        print("\n".join(f"{name:16} {result}" for name, result in report["checks"].items()))
        print("\n".join(map(describe, report["by_hand"])))
    return 0 if report["holds"] else 12


if __name__ == "__main__":
    sys.exit(main())
