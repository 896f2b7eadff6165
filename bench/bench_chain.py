"""How many registrations a second go from signed Claims to proofs stored, on the real chain.

    python bench/bench_chain.py [--registrations N] [--runs N]

Works are prepared before the clock starts: their media facts are made up (GIF stills, with the two
fingerprints that stills have) and their Claims are signed by the home's own key. What that costs is
printed apart. The clock runs over what production does with them, on a home as ``titledeed init``
makes it: salts, leaves and dossiers, durable; rows and outbox in one transaction; one tree, its
10,000 audit paths, durable; one anchor on the development chain, journalled and mined; the chain
followed until every row is final. A stage is the time inside one port; the rest is ours, in Python.
What it costs to complete the evidence bundles out of the stored proofs is printed apart.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from titledeed.bootstrap import Adapters, Registry
from titledeed.bootstrap.homes import initialize_home
from titledeed.canonical.composition import compose_claim
from titledeed.canonical.hashing import sha256
from titledeed.canonical.identifiers import ZERO_ADDRESS
from titledeed.canonical.merkle import root_of_proof
from titledeed.fingerprinting.pictures.image_pdq import ImagePdq
from titledeed.fingerprinting.pictures.image_phash import ImagePhash
from titledeed.models.asset import MediaFacts, MediaType
from titledeed.models.claim import SigningDomain
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType
from titledeed.models.evidence import ClaimStatus
from titledeed.models.registration import Registration, Visibility
from titledeed.rights.statements import state_sole_rights
from titledeed.services.acceptance import NO_LINEAGE, SignedWork
from titledeed.settings import Settings
from titledeed.vault.batches import AuditPaths

T = TypeVar("T")

GOAL_PER_S: Final = 3_000
STAGES: Final = {
    "dossiers stored": ("vault", "keep_accepted"),
    "rows accepted": ("registrations", "accept_many"),
    "waiting leaves read": ("outbox", "list_waiting"),
    "batch stored": ("outbox", "add_batch"),
    "anchor signed": ("ledger", "sign_call"),
    "anchor mined": ("ledger", "broadcast"),
    "chain followed": ("followed", "advance"),
}
REST: Final = "leaves, documents, tree, paths"
TOTAL: Final = "claims to proofs"
BUNDLES: Final = "(then, bundles completed)"


class Timed:
    """A port some of whose methods add up their time."""

    def __init__(self, port: object, methods: set[str], spent: dict[str, float]) -> None:
        self._port = port
        self._methods = methods
        self._spent = spent

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name not in self._methods:
            return member

        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return member(*args, **kwargs)
            finally:
                self._spent[name] += time.perf_counter() - started

        return call


def main() -> None:
    """Parse the arguments, run, print the table and one line of JSON."""
    parser = argparse.ArgumentParser(description="Registrations a second, claims to proofs.")
    parser.add_argument("--registrations", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home")
        initialize_home(settings)
        runs = [run(settings, arguments.registrations) for _ in range(arguments.runs)]
    medians = {stage: statistics.median(run[stage] for run in runs) for stage in runs[0]}
    for stage, seconds in medians.items():
        print(f"{stage:32} {seconds * 1000:9.1f} ms")
    per_s = arguments.registrations / medians[TOTAL]
    print(f"{per_s:,.0f} registrations per second; the goal is {GOAL_PER_S:,}")
    print(
        json.dumps(
            {
                "registrations": arguments.registrations,
                "per_second": round(per_s),
                "seconds": {stage: round(seconds, 4) for stage, seconds in medians.items()},
            }
        )
    )
    sys.exit(per_s < GOAL_PER_S)


def run(settings: Settings, count: int) -> dict[str, float]:
    """Seconds of each stage of one batch."""
    spent: dict[str, float] = defaultdict(float)
    adapters = Adapters(settings)
    with Registry(settings, adapters) as registry:
        works, preparation = timed(lambda: make_works(adapters, count))
        watch(adapters, spent)
        registry.__dict__["completion"] = Timed(registry.completion, {"complete"}, spent)
        acceptance, anchoring = registry.acceptance, registry.anchoring
        anchoring.require_ledger()  # a server has its chain open
        anchoring.anchor_now()

        def register() -> list[Registration]:
            accepted = acceptance.accept_many(works)
            anchoring.anchor_waiting()
            return accepted

        spent.clear()
        accepted, total = timed(register)
        stages = {stage: spent[method] for stage, (_, method) in STAGES.items()}
        bundles = spent["complete"]
        check(adapters, accepted)
    total -= bundles
    return {
        "(claims signed, facts made up)": preparation,
        **stages,
        REST: total - sum(stages.values()),
        TOTAL: total,
        BUNDLES: bundles,
    }


def watch(adapters: Adapters, spent: dict[str, float]) -> None:
    """Put clocks into the ports, before services are built from them."""
    for port in {port for port, _ in STAGES.values()}:
        methods = {method for owner, method in STAGES.values() if owner == port}
        adapters.__dict__[port] = Timed(getattr(adapters, port), methods, spent)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and its seconds."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def make_works(adapters: Adapters, count: int) -> list[SignedWork]:
    """Signed claims on stills that nobody drew."""
    chain = adapters.chain_identity
    domain = SigningDomain(chain.chain_id, chain.contract)
    disclosure = AssetDisclosure(DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA)
    claimant, now = adapters.keys.address, int(time.time())
    works = []
    for number in range(count):
        rights = state_sole_rights(f"Still {number}", claimant)
        fingerprints = (
            ImagePhash().wrap(secrets.token_bytes(8)),
            ImagePdq().wrap(secrets.token_bytes(32)),
        )
        claim = compose_claim(
            claimant,
            sha256(secrets.token_bytes(32)),
            fingerprints=fingerprints,
            disclosure=disclosure,
            rights=rights,
            lineage=NO_LINEAGE,
            recovery_key=ZERO_ADDRESS,
            claimed_at=now,
        )
        works.append(
            SignedWork(
                claim=adapters.keys.sign_claim(claim, domain),
                credential=None,
                manifest_store=b"",
                facts=MediaFacts(MediaType.GIF, 100_000 + number, 1024, 1024, 0, 1, "gif", ""),
                fingerprints=fingerprints,
                disclosure=disclosure,
                rights=rights,
                lineage=NO_LINEAGE,
                thumbnail=b"",
                visibility=Visibility.PRIVATE,
                signed_path=None,
            )
        )
    return works


def check(adapters: Adapters, accepted: list[Registration]) -> None:
    """Every registration is final, and its stored proof leads to the anchored root."""
    paths: dict[bytes, AuditPaths] = {}
    for registration in accepted:
        found = adapters.registrations.find(registration.registration_id)
        if found is None or found.anchor is None or found.leaf_index is None:
            sys.exit(f"{registration.registration_id} is in no block")
        if found.status is not ClaimStatus.FINAL:
            sys.exit(f"{registration.registration_id} is {found.status}")
        root = found.anchor.root
        if root not in paths:
            paths[root] = adapters.vault.batches.read_paths(root)
        if root_of_proof(found.leaf, paths[root].prove(found.leaf_index)) != root:
            sys.exit(f"the proof of {registration.registration_id} does not fit")


if __name__ == "__main__":
    main()
