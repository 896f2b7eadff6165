// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev One storage word per deed: claimant (160 bits), time of the anchor (34), sequence of the
/// anchor (36), royalty in basis points (14), withdrawn (1), transfers (11). Never zero once issued.
type Deed is uint256;

using {
    claimantOf,
    anchoredAt,
    anchorSequenceOf,
    royaltyOf,
    isWithdrawn,
    transfersOf,
    withdrawn,
    transferred,
    isIssued
} for Deed global;

uint256 constant TIMESTAMP_MAX = 2 ** 34 - 1;
uint256 constant SEQUENCE_MAX = 2 ** 36 - 1;
uint256 constant TRANSFERS_MAX = 2 ** 11 - 1;

/// @dev 2^34 seconds end in the year 2514. Time and sequence stop at their maxima instead of
/// running into their neighbours: a chain of cheap gas may one day log more than 2^36 events.
function packDeed(address claimant, uint64 timestamp, uint64 sequence, uint16 royalty)
    pure
    returns (Deed)
{
    uint256 time = timestamp > TIMESTAMP_MAX ? TIMESTAMP_MAX : timestamp;
    uint256 number = sequence > SEQUENCE_MAX ? SEQUENCE_MAX : sequence;
    return Deed.wrap(
        (uint256(uint160(claimant)) << 96) | (time << 62) | (number << 26)
            | (uint256(royalty) << 12)
    );
}

function claimantOf(Deed deed) pure returns (address) {
    return address(uint160(Deed.unwrap(deed) >> 96));
}

function anchoredAt(Deed deed) pure returns (uint64) {
    return uint64((Deed.unwrap(deed) >> 62) & TIMESTAMP_MAX);
}

function anchorSequenceOf(Deed deed) pure returns (uint64) {
    return uint64((Deed.unwrap(deed) >> 26) & SEQUENCE_MAX);
}

function royaltyOf(Deed deed) pure returns (uint16) {
    return uint16((Deed.unwrap(deed) >> 12) & (2 ** 14 - 1));
}

function isWithdrawn(Deed deed) pure returns (bool) {
    return (Deed.unwrap(deed) >> 11) & 1 == 1;
}

function transfersOf(Deed deed) pure returns (uint16) {
    return uint16(Deed.unwrap(deed) & TRANSFERS_MAX);
}

function withdrawn(Deed deed) pure returns (Deed) {
    return Deed.wrap(Deed.unwrap(deed) | (1 << 11));
}

/// @dev One transfer more; at the maximum unchanged, for one more would wrap into the other fields.
function transferred(Deed deed) pure returns (Deed) {
    return deed.transfersOf() == TRANSFERS_MAX ? deed : Deed.wrap(Deed.unwrap(deed) + 1);
}

function isIssued(Deed deed) pure returns (bool) {
    return Deed.unwrap(deed) != 0;
}
