"""Acts while the chain misbehaves, deeds change hands, and others are faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from builders import build_claimant
from chain_builders import sender_of
from chain_desk import Desk
from simulation.key_simulator import KeySimulator
from simulation.ledger_simulator import Fate, LedgerSimulator
from simulation.simulated_chain import BLOCK_TIME_S

from titledeed.anchoring.recording import DEADLINE_S
from titledeed.canonical.identifiers import deed_word, derive_deed_id
from titledeed.chain.relays import hash_act
from titledeed.errors import (
    ConflictError,
    LedgerUnavailableError,
    NotAuthorizedError,
    TransactionRevertedError,
)
from titledeed.models.claim import SigningDomain
from titledeed.models.evidence import SignedTransaction
from titledeed.models.ledger import (
    Call,
    Issued,
    IssueDeed,
    RelayedAct,
    WithdrawLeaf,
    Withdrawn,
    WorkEvent,
)
from titledeed.models.primitives import (
    Address,
    DeedId,
    Subject,
)
from titledeed.models.principal import owner_of_home
from titledeed.models.registration import Registration
from titledeed.proofs.entries import short_deed
from titledeed.proofs.signatures import recover_signer
from titledeed.proofs.times import format_time
from titledeed.services.acts import ActService
from titledeed.services.history import HistoryService
from titledeed.services.visibility import VisibleRegistrations

BUYER: Final = build_claimant(1)


class WatchedLedger(LedgerSimulator):
    """A chain on which others act between our questions.

    Attributes:
        signed: the calls that we signed, in order.
        before_signing: called with each of them.
        before_broadcast: called with each transaction of ours.
        after_holder: called with each deed whose holder was told.
    """

    def __init__(self) -> None:
        super().__init__(mines_at_once=True)
        self.signed: list[Call] = []
        self.before_signing: Callable[[Call], None] = lambda _call: None
        self.before_broadcast: Callable[[SignedTransaction], None] = lambda _transaction: None
        self.after_holder: Callable[[DeedId], None] = lambda _deed: None

    def sign_call(self, call: Call, nonce: int) -> SignedTransaction:
        self.signed.append(call)
        self.before_signing(call)
        return super().sign_call(call, nonce)

    def broadcast(self, transaction: SignedTransaction) -> None:
        self.before_broadcast(transaction)
        super().broadcast(transaction)

    def find_holder(self, deed: DeedId) -> Address | None:
        holder = super().find_holder(deed)
        self.after_holder(deed)
        return holder


class Studio(Desk):
    """A desk at which the claimant of all builders acts."""

    ledger: WatchedLedger

    def __init__(
        self, folder: Path, ledger: WatchedLedger, keys: KeySimulator | None = None
    ) -> None:
        super().__init__(folder, ledger)
        self.keys = keys or KeySimulator()
        self.owner = owner_of_home(self.keys.address)
        self.history = HistoryService(
            following=self.following,
            chain=self.chain,
            vault=self.vault,
            identity=ledger.identity,
        )
        self.acts = ActService(
            keys=self.keys,
            sending=self.sending,
            history=self.history,
            visible=VisibleRegistrations(self.repositories.registrations),
            vault=self.vault,
            ledger=ledger,
            identity=ledger.identity,
            clock=self.clock,
        )

    def anchor(self, *seeds: int) -> list[Registration]:
        accepted = self.accept(*seeds)
        self.anchoring.anchor_waiting()
        return self.find_all(accepted)

    def counted(self, registration: Registration) -> list[str]:
        self.history.follow()
        entries = self.history.list_entries(registration, self.owner)
        return [entry.kind for entry in entries if entry.counts]


@pytest.fixture
def ledger() -> WatchedLedger:
    return WatchedLedger()


@pytest.fixture
def studio(tmp_path: Path, ledger: WatchedLedger) -> Iterator[Studio]:
    studio = Studio(tmp_path / "home", ledger)
    yield studio
    studio.close()


@pytest.fixture
def work(studio: Studio) -> Registration:
    (work,) = studio.anchor(1)
    return work


def sell(ledger: WatchedLedger, deed: DeedId) -> None:
    """The marketplace moves a deed; no event of the contract's own tells of it."""
    deeds = ledger.chain[-1].contracts[ledger.identity.contract].deeds
    deeds[deed] = replace(deeds[deed], holder=BUYER.address)


def deed_of(registration: Registration) -> DeedId:
    return derive_deed_id(registration.claimant, registration.content_digest)


class TestSigning:
    def test_the_claimant_signs_and_the_sender_pays(
        self, studio: Studio, work: Registration
    ) -> None:
        studio.acts.withdraw(work.registration_id, principal=studio.owner)
        (_, call) = studio.ledger.signed  # the first is the anchor
        assert isinstance(call, RelayedAct)
        identity = studio.ledger.identity
        digest = hash_act(
            WithdrawLeaf(work.leaf),
            actor=work.claimant,
            deadline=studio.ledger.blocks[1].timestamp + DEADLINE_S,  # ahead of the clock
            domain=SigningDomain(identity.chain_id, identity.contract),
        )
        assert recover_signer(digest, call.signature) == work.claimant == call.actor
        assert studio.ledger.sender != work.claimant


class TestDeedsThatChangeHands:
    @pytest.fixture
    def sold(self, studio: Studio, work: Registration) -> Registration:
        studio.acts.issue(work.registration_id, principal=studio.owner)
        sell(studio.ledger, deed_of(work))
        return work

    def test_the_claimant_speaks_no_more(self, studio: Studio, sold: Registration) -> None:
        sent = studio.ledger.count_transactions()
        for act in (
            studio.acts.withdraw,
            studio.acts.issue,
            partial(studio.acts.record_event, kind=WorkEvent.PUBLISHED),
        ):
            with pytest.raises(NotAuthorizedError, match=f"{BUYER.address} holds the deed"):
                act(sold.registration_id, principal=studio.owner)
        assert studio.ledger.count_transactions() == sent

    def test_the_buyer_speaks_and_is_counted(
        self, studio: Studio, sold: Registration, ledger: WatchedLedger, tmp_path: Path
    ) -> None:
        # The buyer's home knows the registration as its own does: the same database will do.
        buyer = Studio(tmp_path / "home", ledger, KeySimulator(BUYER))
        done = buyer.acts.withdraw(sold.registration_id, principal=buyer.owner)
        buyer.close()
        assert done.event.body == Withdrawn(deed_word(deed_of(sold)), BUYER.address, by_holder=True)
        assert studio.counted(sold) == ["issued", "withdrawn"]

    def test_what_the_claimant_said_before_stands(self, studio: Studio, work: Registration) -> None:
        studio.acts.record_event(work.registration_id, WorkEvent.SCREENED, principal=studio.owner)
        studio.acts.issue(work.registration_id, principal=studio.owner)
        sell(studio.ledger, deed_of(work))
        assert studio.counted(work) == ["screened", "issued"]


class TestOthersAreFaster:
    def test_the_same_act_by_another_process_is_answered(
        self, studio: Studio, work: Registration, ledger: WatchedLedger, tmp_path: Path
    ) -> None:
        other = Studio(tmp_path / "home", ledger)
        first = other.acts.issue(work.registration_id, principal=other.owner)
        other.close()
        second = studio.acts.issue(work.registration_id, principal=studio.owner)
        assert (second.event, second.is_new) == (first.event, False)

    def test_a_deed_that_somebody_relayed_meanwhile_is_found(
        self, studio: Studio, work: Registration
    ) -> None:
        """Between our look at the chain and our block, the same signed act is mined."""

        def relay(call: Call) -> None:
            studio.ledger.submit_as(sender_of("a relayer"), call)

        studio.ledger.before_signing = relay
        done = studio.acts.issue(work.registration_id, principal=studio.owner)
        assert isinstance(done.event.body, Issued)
        assert not done.is_new
        assert [type(event.body) for event in studio.ledger.events].count(Issued) == 1

    @pytest.mark.parametrize("moment", ["before_signing", "before_broadcast"])
    def test_an_older_signature_with_other_terms_that_won_is_told(
        self, studio: Studio, work: Registration, moment: str
    ) -> None:
        """Somebody kept what the claimant signed before, and sends it first."""

        def relay(sent: Call | SignedTransaction) -> None:
            ours = studio.ledger.signed[-1]
            assert isinstance(ours, RelayedAct)
            assert isinstance(ours.act, IssueDeed)
            older = replace(ours, act=replace(ours.act, royalty=1_000))
            setattr(studio.ledger, moment, lambda _sent: None)
            studio.ledger.submit_as(sender_of("a relayer"), older)

        setattr(studio.ledger, moment, relay)
        with pytest.raises(ConflictError) as raised:
            studio.acts.issue(work.registration_id, principal=studio.owner, royalty=500)
        (issued,) = (event for event in studio.ledger.events if isinstance(event.body, Issued))
        assert raised.value.message == (
            f"{work.registration_id} has a deed already, with a royalty of 10 % and no parents, "
            f"since {format_time(issued.block_timestamp)} (event {issued.sequence}); that stands "
            "for ever, and not a royalty of 5 % and no parents"
        )
        assert raised.value.registration_id == work.registration_id
        again = studio.acts.issue(work.registration_id, principal=studio.owner, royalty=1_000)
        assert (again.event, again.is_new) == (issued, False)

    def test_other_terms_that_stand_are_told_with_their_parents(self, studio: Studio) -> None:
        parent, child = studio.anchor(1, 2)
        studio.acts.issue(parent.registration_id, principal=studio.owner)
        studio.acts.issue(
            child.registration_id, principal=studio.owner, parents=[parent.registration_id]
        )
        sent = studio.ledger.count_transactions()
        with pytest.raises(ConflictError) as raised:
            studio.acts.issue(child.registration_id, principal=studio.owner, royalty=250)
        told = f"no royalty and as parents {short_deed(deed_of(parent))}, since "
        assert told in raised.value.message
        assert "not a royalty of 2.5 % and no parents" in raised.value.message
        assert studio.ledger.count_transactions() == sent

    def test_a_refusal_that_no_deed_explains_stays_what_it_is(
        self, studio: Studio, work: Registration
    ) -> None:
        def refuse(_call: Call) -> None:
            raise TransactionRevertedError("the contract refuses: NotAnchored")

        studio.ledger.before_signing = refuse
        with pytest.raises(TransactionRevertedError, match="NotAnchored"):
            studio.acts.issue(work.registration_id, principal=studio.owner)


class TestExpiredSignatures:
    def test_an_act_that_no_block_took_in_time_is_told_and_signed_anew(
        self, studio: Studio, work: Registration
    ) -> None:
        def dawdle(_transaction: SignedTransaction) -> None:
            studio.ledger.before_broadcast = lambda _transaction: None
            studio.ledger.mine(DEADLINE_S // BLOCK_TIME_S + 1)

        studio.ledger.before_broadcast = dawdle
        with pytest.raises(TransactionRevertedError, match="was good until") as raised:
            studio.acts.withdraw(work.registration_id, principal=studio.owner)
        assert raised.value.reason == "DeadlinePassed"
        assert "again" in raised.value.next_step
        assert studio.counted(work) == []
        assert studio.acts.withdraw(work.registration_id, principal=studio.owner).is_new
        assert studio.counted(work) == ["withdrawn"]

    def test_one_that_waited_too_long_does_not_stop_the_next(
        self, studio: Studio, work: Registration
    ) -> None:
        """As after a day without a chain: the old transaction is refused, the new one is not."""
        studio.ledger.stop_mining()
        with pytest.raises(LedgerUnavailableError):
            studio.acts.issue(work.registration_id, principal=studio.owner)
        studio.ledger.resume_mining()
        studio.ledger.empty_pool()
        studio.ledger.mine(DEADLINE_S // BLOCK_TIME_S + 1)
        done = studio.acts.issue(work.registration_id, principal=studio.owner, royalty=500)
        assert done.is_new
        assert studio.counted(work) == ["issued"]
        assert not studio.outbox.list_pending()

    def test_a_chain_that_is_ahead_of_the_clock_takes_acts(
        self, studio: Studio, work: Registration
    ) -> None:
        """As a development chain is that makes blocks faster than one a second."""
        studio.ledger.mine(2 * DEADLINE_S // BLOCK_TIME_S)
        assert studio.acts.withdraw(work.registration_id, principal=studio.owner).is_new


class TestTrouble:
    def test_an_act_that_no_block_holds_yet_is_taken_up_again(
        self, studio: Studio, work: Registration
    ) -> None:
        studio.ledger.stop_mining()
        with pytest.raises(LedgerUnavailableError):
            studio.acts.withdraw(work.registration_id, principal=studio.owner)
        studio.ledger.resume_mining()
        studio.ledger.mine()
        done = studio.acts.withdraw(work.registration_id, principal=studio.owner)
        assert not done.is_new
        assert studio.counted(work) == ["withdrawn"]

    def test_asked_again_while_the_first_waits_it_still_counts_once(
        self, studio: Studio, work: Registration
    ) -> None:
        studio.ledger.stop_mining()
        for _ in range(2):
            with pytest.raises(LedgerUnavailableError):
                studio.acts.withdraw(work.registration_id, principal=studio.owner)
        studio.ledger.resume_mining()
        studio.ledger.mine(3)
        assert studio.counted(work) == ["withdrawn"]
        assert not studio.acts.withdraw(work.registration_id, principal=studio.owner).is_new

    def test_a_withdrawal_that_a_reorganisation_took_away_does_not_count(
        self, studio: Studio, work: Registration
    ) -> None:
        studio.ledger.mine(3)
        studio.acts.withdraw(work.registration_id, principal=studio.owner)
        assert studio.counted(work) == ["withdrawn"]
        studio.ledger.reorganise(1, fate=Fate.VANISH, length=2)
        assert studio.counted(work) == []
        assert studio.acts.withdraw(
            work.registration_id, principal=studio.owner
        ).event.body == Withdrawn(Subject(work.leaf), work.claimant, by_holder=False)
        assert studio.counted(work) == ["withdrawn"]

    def test_a_chain_that_is_down_is_an_error_and_no_answer(
        self, studio: Studio, work: Registration
    ) -> None:
        studio.ledger.go_down()
        with pytest.raises(LedgerUnavailableError):
            studio.acts.withdraw(work.registration_id, principal=studio.owner)

    def test_what_the_contract_refuses_is_told(self, studio: Studio, work: Registration) -> None:
        """The deed is sold between our question and our transaction."""
        studio.acts.issue(work.registration_id, principal=studio.owner)
        studio.ledger.after_holder = lambda deed: sell(studio.ledger, deed)
        with pytest.raises(TransactionRevertedError, match="NotHolder"):
            studio.acts.withdraw(work.registration_id, principal=studio.owner)
        assert studio.counted(work) == ["issued"]


class TestChecksBeforeAnythingIsSent:
    def test_one_in_no_block(self, studio: Studio) -> None:
        (waiting,) = studio.accept(1)
        with pytest.raises(ConflictError, match="in no block yet"):
            studio.acts.issue(waiting.registration_id, principal=studio.owner)

    def test_one_of_another_claimant(
        self, studio: Studio, work: Registration, ledger: WatchedLedger, tmp_path: Path
    ) -> None:
        stranger = Studio(tmp_path / "home", ledger, KeySimulator(BUYER))
        with pytest.raises(NotAuthorizedError, match="not by this home"):
            stranger.acts.issue(work.registration_id, principal=stranger.owner)
        stranger.close()

    def test_an_anchor_that_the_chain_lost_again(self, studio: Studio) -> None:
        studio.ledger.mine(3)
        (work,) = studio.anchor(1)
        studio.ledger.reorganise(1, fate=Fate.VANISH, length=2)
        studio.ledger.stop_mining()
        with pytest.raises(ConflictError, match="in no block yet"):
            studio.acts.withdraw(work.registration_id, principal=studio.owner)
