"""Bundles are completed for all that can be, whatever was lost or erased."""

from __future__ import annotations

import pytest
from service_desk import ServiceDesk

from titledeed.models.bundle import Bundle
from titledeed.models.ledger import Tombstone
from titledeed.models.registration import Registration


@pytest.fixture
def waiting(desk: ServiceDesk) -> list[Registration]:
    """Three registrations that wait for one block."""
    sources = [desk.write(f"{seed}.png", seed) for seed in (1, 2, 3)]
    return [desk.register_one(source, wait=False).registration for source in sources]


def find_bundles(desk: ServiceDesk, waiting: list[Registration]) -> list[Bundle | None]:
    return [desk.vault.bundles.find(one.registration_id) for one in waiting]


def erase(desk: ServiceDesk, registration: Registration) -> None:
    tombstone = Tombstone(registration.registration_id, registration.leaf, desk.clock())
    desk.registrations.erase(tombstone)
    desk.vault.forget(registration.registration_id)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_lost_dossier_takes_no_bundle_from_the_others(
    desk: ServiceDesk, waiting: list[Registration], *, damaged: bool
) -> None:
    lost = waiting[1].registration_id
    if damaged:
        desk.objects.put(desk.vault.dossiers.name(lost), b"{}")
    else:
        desk.vault.dossiers.delete(lost)
    desk.anchoring.anchor_now()
    first, second, third = find_bundles(desk, waiting)
    assert first is not None
    assert second is None
    assert third is not None


def test_a_lost_batch_takes_no_bundle_from_the_next(
    desk: ServiceDesk, waiting: list[Registration]
) -> None:
    sent = desk.sending.send_batch()
    assert sent is not None
    assert sent.root is not None
    desk.objects.delete(desk.vault.batches.name(sent.root))
    later = desk.register_one(desk.write("later.png", 4)).registration
    assert find_bundles(desk, waiting) == [None, None, None]
    assert desk.vault.bundles.find(later.registration_id) is not None


def test_nothing_stays_of_what_is_erased_meanwhile(
    desk: ServiceDesk, waiting: list[Registration]
) -> None:
    def erase_last(label: str, fraction: float) -> None:
        if (label, fraction) == ("Completing bundles", 1.0):
            bundle = desk.vault.bundles.read(waiting[-1].registration_id)
            erase(desk, waiting[-1])
            desk.vault.bundles.keep(bundle)  # as if it had been read before

    desk.anchoring.anchor_now(erase_last)
    first, _, last = find_bundles(desk, waiting)
    assert first is not None
    assert last is None
