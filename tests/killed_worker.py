"""A process to be killed: ``killed_worker.py FOLDER SEED REGISTRATIONS CHECKPOINT_INTERVAL``.

It works through a plan that follows from the seed: anchors, and among them transactions that the
contract reverts and such that the chain rejects. Started again it goes on at the account's nonce;
when its anvil dies it takes the same step again, as a sender does. What it prints is what a caller
was told: ``anchored`` or ``reverted``, the transaction and its block; ``rejected`` and the
transaction; ``interrupted``; at last ``done``.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar

from chain_builders import hex_of, raw_anchor, root_of, sender_of

from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.rpc import RpcError
from titledeed.errors import LedgerUnavailableError
from titledeed.models.evidence import ChainIdentity
from titledeed.proofs.rpc_values import parse_object, parse_quantity
from titledeed.proofs.transactions import hash_transaction

T = TypeVar("T")

SENDER, PENNILESS = sender_of("alice"), sender_of("penniless")


class Kind(StrEnum):
    ANCHOR = "anchor"
    EMPTY_ANCHOR = "empty anchor"
    NONCE_GAP = "nonce gap"
    NO_FUNDS = "no funds"


@dataclass(frozen=True)
class Step:
    kind: Kind
    nonce: int
    """Of the sender when the step is taken."""

    @property
    def is_mined(self) -> bool:
        return self.kind in {Kind.ANCHOR, Kind.EMPTY_ANCHOR}

    def raw(self, identity: ChainIdentity) -> bytes:
        nonces = {Kind.NONCE_GAP: self.nonce + 3, Kind.NO_FUNDS: 0}
        return raw_anchor(
            PENNILESS if self.kind is Kind.NO_FUNDS else SENDER,
            chain_id=identity.chain_id,
            contract=identity.contract,
            nonce=nonces.get(self.kind, self.nonce),
            root=root_of(self.nonce),
            size=0 if self.kind is Kind.EMPTY_ANCHOR else 1,
        )


def plan(seed: int, registrations: int) -> list[Step]:
    others = [Kind.EMPTY_ANCHOR, Kind.NONCE_GAP, Kind.NO_FUNDS] * (registrations // 10)
    kinds = [Kind.ANCHOR] * registrations + others
    random.Random(seed).shuffle(kinds)
    steps: list[Step] = []
    for kind in kinds:
        steps.append(Step(kind, sum(step.is_mined for step in steps)))
    return steps


def main(folder: str, seed: str, registrations: str, interval: str) -> None:
    chain = DevelopmentChain(folder=Path(folder), checkpoint_interval=int(interval))
    steps = plan(int(seed), int(registrations))
    for step in steps[_persist(partial(_position, chain, steps)) :]:
        _tell(*_persist(partial(_take, chain, step)))
    chain.close()
    _tell("done")


def _persist(work: Callable[[], T]) -> T:
    while True:
        try:
            return work()
        except LedgerUnavailableError:
            _tell("interrupted")


def _position(chain: DevelopmentChain, steps: list[Step]) -> int:
    count = parse_quantity(chain.call("eth_getTransactionCount", SENDER.address, "latest"))
    return sum(step.nonce < count for step in steps)


def _take(chain: DevelopmentChain, step: Step) -> tuple[str, ...]:
    raw = step.raw(chain.pin.identity)
    transaction = hex_of(hash_transaction(raw))
    try:
        chain.call("eth_sendRawTransaction", hex_of(raw))
    except RpcError:
        if step.is_mined:
            raise
        return "rejected", transaction
    receipt = parse_object(chain.call("eth_getTransactionReceipt", transaction))
    outcome = "anchored" if receipt["status"] == "0x1" else "reverted"
    return outcome, transaction, str(receipt["blockHash"])


def _tell(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
