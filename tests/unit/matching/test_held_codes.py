from __future__ import annotations

from titledeed.matching.held_codes import HeldCodes
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import RegistrationId
from titledeed.ports import IndexedWork


def work(name: str, *codes: bytes) -> IndexedWork:
    held = tuple(FingerprintCode("a", 1, code) for code in codes)
    return IndexedWork(RegistrationId(name), 2.0, held)


ONE, TWO, BARE = work("one", b"1", b"2"), work("two", b"3"), work("bare")
HELD = HeldCodes(iter([ONE, BARE, TWO]))


def test_codes_come_in_order_after_a_position() -> None:
    found = [(owner, code.code) for _, owner, code in HELD.iter_fingerprints(0)]
    assert found == [("one", b"1"), ("one", b"2"), ("two", b"3")]
    positions = [position for position, _, _ in HELD.iter_fingerprints(0)]
    assert positions == sorted(set(positions))
    assert [code.code for _, _, code in HELD.iter_fingerprints(positions[1])] == [b"3"]
    assert list(HELD.iter_fingerprints(positions[-1])) == []


def test_every_position_leads_to_its_work() -> None:
    for position, owner, _ in HELD.iter_fingerprints(0):
        assert HELD.find_works([position])[position].registration_id == owner
        assert HELD.find_present([position]) == {position}


def test_nothing_held_is_ever_erased() -> None:
    assert HELD.count_erased() == 0
