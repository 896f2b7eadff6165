from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_builders import root_of, sender_of
from chain_desk import CONFIRMATIONS, Desk
from repository_adapters import block_at
from simulation.ledger_simulator import LedgerSimulator, Lie

from titledeed.canonical.documents import Json
from titledeed.chain.log_head import read_log_head
from titledeed.errors import LedgerError, LedgerUnavailableError
from titledeed.models.ledger import AnchorRoot
from titledeed.models.primitives import Address
from titledeed.services.chain_report import ChainReportService


class Home(Desk):
    """A desk, and the chain with some events of its own and of others."""

    def __init__(self, folder: Path) -> None:
        self.simulator = LedgerSimulator(mines_at_once=True)
        super().__init__(folder, self.simulator)
        for seed in (1, 2, 3):
            self.accept(seed)
            self.anchoring.anchor_now()
        self.simulator.submit_as(sender_of("stranger"), AnchorRoot(root_of("theirs"), 9))
        self.simulator.mine(5)
        self.following.follow()
        self.service = ChainReportService(
            ledger=self.simulator,
            chain=self.chain,
            outbox=self.outbox,
            confirmations=CONFIRMATIONS,
        )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    home.close()


def test_everything_is_read_and_fits(home: Home) -> None:
    found = home.service.verify()
    assert (found.sequence, found.running_hash) == (4, home.simulator.events[-1].head)
    assert found.block == home.simulator.blocks[-1]


def test_status_tells_what_is_under_way_and_how_far_it_got(home: Home) -> None:
    home.simulator.stop_mining()
    home.accept(7)
    home.sending.send_batch()
    home.accept(8)
    found = home.service.status()
    assert (found.lag, found.waiting, len(found.pending)) == (0, 1, 1)
    home.simulator.resume_mining()
    home.simulator.mine(3)
    assert home.service.status().lag == 3


@pytest.mark.parametrize("lie", [Lie.SKIP, Lie.REPEAT, Lie.REORDER, Lie.ALTER, Lie.INVENT])
def test_a_node_that_lies_about_events_is_caught(home: Home, lie: Lie) -> None:
    home.simulator.lie(lie, answers=1_000)
    with pytest.raises(LedgerError):
        home.service.verify()


def test_a_contract_that_counted_others_is_told(home: Home) -> None:
    home.simulator.lie(Lie.MISCOUNT)
    with pytest.raises(LedgerError, match="which are not those that the contract counted"):
        home.service.verify()


def test_a_database_that_missed_an_event_is_told(home: Home) -> None:
    cursor = home.following.follow()
    (block,) = [one for one in home.chain.list_blocks() if one == cursor.block]
    events = home.chain.list_events(home.ledger.identity.contract, after=2, limit=9)
    home.chain.advance(
        contracts=[home.ledger.identity.contract],
        fork=events[0].block_number - 1,
        blocks=[block],
        events=[],
        confirmations=CONFIRMATIONS,
    )
    with pytest.raises(LedgerError, match="database holds other events"):
        home.service.verify()


def test_a_block_that_was_taken_back_is_for_the_next_follower(home: Home) -> None:
    home.following.follow()
    home.simulator.reorganise(2)
    home.service.verify()


def test_a_chain_that_is_down_is_told(home: Home) -> None:
    home.simulator.go_down()
    with pytest.raises(LedgerUnavailableError):
        home.service.verify()
    with pytest.raises(LedgerUnavailableError):
        home.service.status()


class Answering:
    """A node that gives one answer to everything."""

    def __init__(self, answer: Json) -> None:
        self._answer = answer

    def call(self, method: str, *params: Json) -> Json:
        assert method == "eth_call"
        return self._answer

    def close(self) -> None:
        """Nothing to release."""


def test_the_head_of_the_contract_is_read() -> None:
    words = (7).to_bytes(32, "big") + b"h" * 20 + bytes(12)
    node = Answering("0x" + words.hex())
    assert read_log_head(node, Address("0x"), block_at(1)) == (7, b"h" * 20)


@pytest.mark.parametrize(
    "answer", [None, 7, "", "0x", "0x00", "0x" + "ff" * 64, "0x" + "00" * 63 + "01"]
)
def test_a_head_that_is_out_of_form_is_refused(answer: Json) -> None:
    with pytest.raises(LedgerError):
        read_log_head(Answering(answer), Address("0x"), block_at(1))
