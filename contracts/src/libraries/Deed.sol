// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev One storage word per deed: claimant (160 bits), time of the anchor (36), sequence of the
/// anchor (45), royalty in basis points (14), withdrawn (1). Never zero once issued.
type Deed is uint256;

using {
    claimantOf,
    anchoredAt,
    anchorSequenceOf,
    royaltyOf,
    isWithdrawn,
    withdrawn,
    isIssued
} for Deed global;

/// @dev 2^36 seconds end in the year 4147; 2^45 events outlast any chain.
function packDeed(address claimant, uint64 timestamp, uint64 sequence, uint16 royalty)
    pure
    returns (Deed)
{
    return Deed.wrap(
        (uint256(uint160(claimant)) << 96) | (uint256(timestamp) << 60) | (uint256(sequence) << 15)
            | (uint256(royalty) << 1)
    );
}

function claimantOf(Deed deed) pure returns (address) {
    return address(uint160(Deed.unwrap(deed) >> 96));
}

function anchoredAt(Deed deed) pure returns (uint64) {
    return uint64(Deed.unwrap(deed) >> 60) & (2 ** 36 - 1);
}

function anchorSequenceOf(Deed deed) pure returns (uint64) {
    return uint64(Deed.unwrap(deed) >> 15) & (2 ** 45 - 1);
}

function royaltyOf(Deed deed) pure returns (uint16) {
    return uint16(Deed.unwrap(deed) >> 1) & (2 ** 14 - 1);
}

function isWithdrawn(Deed deed) pure returns (bool) {
    return Deed.unwrap(deed) & 1 == 1;
}

function withdrawn(Deed deed) pure returns (Deed) {
    return Deed.wrap(Deed.unwrap(deed) | 1);
}

function isIssued(Deed deed) pure returns (bool) {
    return Deed.unwrap(deed) != 0;
}
