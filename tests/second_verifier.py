"""What two verifiers of evidence bundles say, side by side.

``scripts/verify_bundle.py`` is written from the format's documentation alone, and shares no code
with ours.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import verify_bundle
from builders import build_claimant
from json_places import at, put

from titledeed.errors import MalformedDocumentError
from titledeed.proofs.bundles import read_bundle_file
from titledeed.services.evidence import check_bundle

SCRIPT: Final = Path(verify_bundle.__file__)
CONFORMANCE: Final = Path(__file__).parent / "conformance"

Document = dict[str, Any]
Place = tuple[str | int, ...]

NOT_CHECKED: Final = {"claim_signature", "statement", "transaction", "timestamp"}
RECORD: Final = ("dossier", "record")
OWN: Final = ("anchors", 0)
SECOND: Final = ("anchors", 1)
LOG: Final = ("logs", 0)
WORD: Final = ("words", 0)


def first_versions() -> Iterator[tuple[str, Document]]:
    """Documents that the version before this one made."""
    folder = CONFORMANCE / "version_1"
    yield "harbour", json.loads((folder / "harbour.titledeed.json").read_bytes())
    lines = (folder / "published.titledeed-snapshot").read_text().splitlines()
    for number, line in enumerate(lines[1:-1]):
        yield f"published {number}", json.loads(line)
    vectors = json.loads((CONFORMANCE / "vectors" / "canonical_1.json").read_bytes())
    yield "vector", json.loads(vectors["bundle"])


FIRST_VERSIONS: Final = dict(first_versions())


@dataclass(frozen=True)
class Answer:
    """What a verifier says of a bundle that it does not refuse."""

    results: dict[str, str]
    to_compare: list[tuple[int, str]]
    """Numbers and hashes of blocks, or of the last events of logs; slots of unproven words."""

    @property
    def holds(self) -> bool:
        return "fails" not in self.results.values()


def ours(data: bytes) -> Answer | None:
    """Our results on the part that both cover, and what is left to compare; None if refused."""
    try:
        bundle = read_bundle_file(data)
    except MalformedDocumentError:
        return None
    report = check_bundle(bundle)
    results = {
        check.name: check.result.value.replace("_", " ")
        for check in report.checks
        if check.name.partition("[")[0] not in NOT_CHECKED and "the sentence" not in check.detail
    }
    found = re.findall(
        r"that block (\d+) (?:of \S+ \S+ \(\S+ \S+\) )?has hash (0x\w{64})(?:: that|\.|, was made)"
        r"|had running hash (0x\w{40}) after its event (\d+)"
        r"|Look at slot (0x\w{64})",
        report.by_hand.replace("explorer shows that block", ""),
    )
    pairs = [
        (int(block or sequence or 0), digest or head or slot)
        for block, digest, head, sequence, slot in found
    ]
    return Answer(results, pairs)


def theirs(data: bytes) -> Answer | None:
    try:
        report = verify_bundle.verify(verify_bundle.read_bundle(data))
    except verify_bundle.MALFORMED:
        return None
    return read_report(report)


def read_report(report: Document) -> Answer:
    results = {name: result.partition(":")[0] for name, result in report["checks"].items()}
    unknown = {name for name, result in results.items() if result == "not checked"}
    assert unknown >= NOT_CHECKED
    assert {name.partition("[")[0] for name in unknown - NOT_CHECKED} <= {"log", "word"}
    pairs = list(map(read_compared, report["by_hand"]))
    return Answer({k: v for k, v in results.items() if k not in NOT_CHECKED}, pairs)


def read_compared(one: Document) -> tuple[int, str]:
    if "block" in one:
        return one["block"]["number"], one["block"]["hash"]
    return (0, one["slot"]) if "slot" in one else (one["sequence"], one["head"])


def run_script(document: Document, folder: Path) -> tuple[Answer | None, int]:
    """As a process of its own, with nothing of ours in sight."""
    path = folder / "bundle.json"
    path.write_text(json.dumps(document))
    done = start_script(path, "--json")
    if done.returncode == 1:
        assert done.stderr and not done.stdout
        return None, 1
    return read_report(json.loads(done.stdout)), done.returncode


def start_script(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(SCRIPT), *options, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def require_agreement(data: bytes) -> Answer | None:
    """Both refuse, or both say the same; what ours refuses does at least not hold.

    Returns:
        our answer.
    """
    mine, other = ours(data), theirs(data)
    if mine is None:
        assert other is None or not other.holds
        return None
    assert other is not None
    common = mine.results.keys()
    assert {name: other.results[name] for name in common} == mine.results
    assert other.results.keys() - common <= {"documents"}
    assert other.to_compare == mine.to_compare
    return mine


def corrupt(document: Document, path: Place) -> Document:
    """The document with another value of the same form in one place."""
    value = at(document, path)
    if value is None:
        return put(document, path, "stated")
    if isinstance(value, int):
        return put(document, path, value + 1)
    digit = len(value) // 2
    if path[-1] in {"claimant", "contract", "caller", "recovery_key"}:
        return put(document, path, build_claimant(99).address)
    other = "b" if value[digit] != "b" else "a"
    return put(document, path, value[:digit] + other + value[digit + 1 :])


def encode(document: Document) -> bytes:
    return json.dumps(document).encode()


def is_full(document: Document) -> bool:
    """It has two anchors, a path, and a log of at least two events."""
    has_two = len(document["anchors"]) == 2 and bool(document["anchors"][0]["proof"]["path"])
    return has_two and len(document.get("logs", [{"events": []}])[0]["events"]) > 1
