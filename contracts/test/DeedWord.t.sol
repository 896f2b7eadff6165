// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Deed,
    packDeed,
    SEQUENCE_MAX,
    TIMESTAMP_MAX,
    TRANSFERS_MAX
} from "../src/libraries/Deed.sol";

/// @dev The one word of a deed: no field reaches into another.
contract DeedWordTest {
    uint16 private constant ROYALTY_MAX = 10_000;

    function test_every_field_holds_its_extremes() public pure {
        address[2] memory claimants = [address(1), address(type(uint160).max)];
        uint64[2] memory timestamps = [uint64(0), uint64(TIMESTAMP_MAX)];
        uint64[2] memory sequences = [uint64(1), uint64(SEQUENCE_MAX)];
        uint16[2] memory royalties = [uint16(0), ROYALTY_MAX];
        for (uint256 i = 0; i < 64; ++i) {
            _check(
                claimants[i & 1],
                timestamps[(i >> 1) & 1],
                sequences[(i >> 2) & 1],
                royalties[(i >> 3) & 1],
                (i >> 4) & 1 == 1,
                uint16((i >> 5) * TRANSFERS_MAX)
            );
        }
    }

    function testFuzz_every_field_comes_back(
        address claimant,
        uint64 timestamp,
        uint64 sequence,
        uint16 royalty,
        bool isWithdrawn,
        uint16 transfers
    ) public pure {
        _check(
            claimant,
            timestamp % uint64(TIMESTAMP_MAX + 1),
            sequence % uint64(SEQUENCE_MAX + 1),
            royalty % (ROYALTY_MAX + 1),
            isWithdrawn,
            transfers % 20
        );
    }

    function testFuzz_time_and_sequence_stop_at_their_maxima(
        address claimant,
        uint64 timestamp,
        uint64 sequence
    ) public pure {
        timestamp |= uint64(TIMESTAMP_MAX + 1);
        sequence |= uint64(SEQUENCE_MAX + 1);
        Deed deed = packDeed(claimant, timestamp, sequence, 0);
        require(deed.anchoredAt() == TIMESTAMP_MAX, "time");
        require(deed.anchorSequenceOf() == SEQUENCE_MAX, "sequence");
        require(deed.claimantOf() == claimant, "claimant");
        require(deed.royaltyOf() == 0 && !deed.isWithdrawn() && deed.transfersOf() == 0, "rest");
    }

    function testFuzz_transfers_saturate(uint16 transfers) public pure {
        uint256 word = Deed.unwrap(packDeed(address(7), 8, 9, 10));
        Deed deed = Deed.wrap(word | (transfers & TRANSFERS_MAX));
        uint16 before = deed.transfersOf();
        uint16 next = deed.transferred().transfersOf();
        require(next == (before == TRANSFERS_MAX ? before : before + 1), "one more");
        require(Deed.unwrap(deed.transferred()) >> 11 == word >> 11, "the rest");
    }

    /// @dev Packs, withdraws and transfers as the contract does, and reads every field.
    function _check(
        address claimant,
        uint64 timestamp,
        uint64 sequence,
        uint16 royalty,
        bool isWithdrawn,
        uint16 transfers
    ) private pure {
        Deed deed = packDeed(claimant, timestamp, sequence, royalty);
        for (uint256 i = 0; i < transfers; ++i) {
            deed = deed.transferred();
        }
        if (isWithdrawn) deed = deed.withdrawn();
        require(deed.claimantOf() == claimant, "claimant");
        require(deed.anchoredAt() == timestamp, "time");
        require(deed.anchorSequenceOf() == sequence, "sequence");
        require(deed.royaltyOf() == royalty, "royalty");
        require(deed.isWithdrawn() == isWithdrawn, "withdrawn");
        require(deed.transfersOf() == transfers, "transfers");
    }
}
