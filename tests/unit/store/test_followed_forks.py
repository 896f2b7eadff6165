"""However the chain was reorganised on the way: the rows are those of the final chain alone."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import builders
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from repository_adapters import (
    CONTRACT,
    SENDER,
    batch_of,
    event_in,
    open_sqlite,
    replacement,
    submit,
)

from titledeed.canonical.hashing import keccak256
from titledeed.models.ledger import (
    Anchored,
    Block,
    Confirmations,
    EventBody,
    LedgerEvent,
    Withdrawn,
)
from titledeed.models.primitives import BlockHash, Subject, TransactionHash
from titledeed.ports import Repositories

BATCHES = 3
ACTS = 2
NOISE = 2
TABLES = ("block", "event", "mention", "submission", "attempt", "registration")
CONFIRMATIONS = Confirmations(safe=1, final=3)


@dataclass(frozen=True)
class Step:
    """Drop some blocks, then add some; each holds the events with these numbers, once per chain.

    ``jump`` lets the first stand higher, as after a stretch that was read by number.
    """

    dropped: int
    jump: int
    added: tuple[tuple[int, ...], ...]


STEPS = st.lists(
    st.builds(
        Step,
        dropped=st.integers(0, 6),
        jump=st.integers(0, 2),
        added=st.lists(
            st.lists(st.integers(0, BATCHES + ACTS + NOISE - 1), max_size=3).map(tuple), max_size=4
        ).map(tuple),
    ),
    min_size=1,
    max_size=5,
)


@dataclass(frozen=True)
class Mined:
    """A block and the numbers of its events."""

    block: Block
    events: tuple[int, ...]


def play(steps: Sequence[Step]) -> Iterator[tuple[int | None, list[Mined], list[Mined]]]:
    """For each step: the fork, the blocks below it, and the blocks above it."""
    chain: list[Mined] = []
    for branch, step in enumerate(steps):
        kept = chain[: max(0, len(chain) - step.dropped)]
        fork = kept[-1].block.number if kept else None
        chain = list(kept)
        for offset, numbers in enumerate(step.added):
            parent = chain[-1].block if chain else None
            number = 1 if parent is None else parent.number + 1 + (0 if offset else step.jump)
            is_linked = parent is not None and number == parent.number + 1
            block = Block(
                number=number,
                hash=hash_of(branch, number),
                parent_hash=parent.hash if parent and is_linked else hash_of(branch, number - 1),
                timestamp=builders.EPOCH + number,
            )
            taken = {event for mined in chain for event in mined.events}
            fresh = tuple(dict.fromkeys(event for event in numbers if event not in taken))
            chain.append(Mined(block, fresh))
        yield fork, kept, chain[len(kept) :]


def hash_of(branch: int, number: int) -> BlockHash:
    return BlockHash(keccak256(b"block", bytes([branch]), number.to_bytes(8, "big")))


def describe(number: int) -> tuple[EventBody, TransactionHash | None]:
    """What the event with this number says, and in which transaction."""
    if number < BATCHES:
        batch = batch_of([builders.build_registration(number)], nonce=number)
        return Anchored(batch.root, SENDER, 1), batch.attempts[0].hash
    body = Withdrawn(Subject(bytes([number]) * 32), SENDER, by_holder=False)
    if number < BATCHES + ACTS:
        return body, replacement(builders.build_transaction(number)).hash
    return body, None


def list_events(below: Sequence[Mined], added: Sequence[Mined]) -> list[LedgerEvent]:
    sequence = sum(len(mined.events) for mined in below)
    found = []
    for mined in added:
        for number in mined.events:
            sequence += 1
            body, transaction = describe(number)
            found.append(event_in(mined.block, sequence, body, transaction=transaction))
    return found


def prepare(repositories: Repositories) -> None:
    """Store the submissions that the events settle; acts by their second attempt."""
    for number in range(BATCHES):
        submit(repositories, builders.build_registration(number), nonce=number)
    for number in range(BATCHES, BATCHES + ACTS):
        transaction = builders.build_transaction(number)
        act = repositories.outbox.add_act(
            transaction,
            contract=CONTRACT,
            sender=SENDER,
            label="withdraw",
            registration_id=None,
            sent_at=1,
        )
        repositories.outbox.add_attempt(act, replacement(transaction), 2)


def split(chain: Sequence[Mined]) -> Iterator[tuple[list[Mined], list[Mined]]]:
    """The stretches of a chain between its gaps, with what stands below each."""
    start = 0
    for index in range(1, len(chain) + 1):
        if index == len(chain) or chain[index].block.number != chain[index - 1].block.number + 1:
            yield list(chain[:start]), list(chain[start:index])
            start = index


def read_rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(folder / "store.sqlite3")) as connection:
        return {table: sorted(connection.execute(f"SELECT * FROM {table}")) for table in TABLES}


def advance(
    repositories: Repositories, fork: int | None, below: Sequence[Mined], added: Sequence[Mined]
) -> None:
    repositories.followed.advance(
        contracts=[CONTRACT],
        fork=fork,
        blocks=[mined.block for mined in added],
        events=list_events(below, added),
        confirmations=CONFIRMATIONS,
    )


def rows_after_forks(steps: Sequence[Step], *, repeats: int) -> dict[str, list[tuple[object, ...]]]:
    with tempfile.TemporaryDirectory() as name:
        repositories = open_sqlite(Path(name))
        prepare(repositories)
        for fork, below, added in play(steps):
            for _ in range(repeats):
                advance(repositories, fork, below, added)
        repositories.close()
        return read_rows(Path(name))


def rows_of_final_chain(steps: Sequence[Step]) -> dict[str, list[tuple[object, ...]]]:
    with tempfile.TemporaryDirectory() as name:
        repositories = open_sqlite(Path(name))
        prepare(repositories)
        *_, (_, kept, added) = play(steps)
        for below, stretch in split([*kept, *added]):
            advance(repositories, below[-1].block.number if below else None, below, stretch)
        repositories.close()
        return read_rows(Path(name))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS, repeats=st.integers(1, 2))
@example(
    steps=[Step(0, 0, ((0, 3), (1,), (5, 2, 4))), Step(2, 0, ((2,), (0, 1))), Step(9, 0, ((1,),))],
    repeats=2,
)
def test_rows_are_those_of_the_final_chain(steps: list[Step], repeats: int) -> None:
    assert rows_after_forks(steps, repeats=repeats) == rows_of_final_chain(steps)
