// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev One storage word: block time (48 bits), sequence number (48), running hash (160). Packed by
/// hand, because the compiler reads a slot again for every field of a struct that it writes.
type Entry is uint256;

using {timestampOf, sequenceOf, headOf} for Entry global;

/// @dev 2^48 seconds and events outlast any chain.
function packEntry(uint256 timestamp, uint256 sequence, bytes20 head) pure returns (Entry) {
    return Entry.wrap((timestamp << 208) | (sequence << 160) | uint160(head));
}

function timestampOf(Entry entry) pure returns (uint64) {
    return uint64(Entry.unwrap(entry) >> 208);
}

function sequenceOf(Entry entry) pure returns (uint64) {
    return uint64(uint48(Entry.unwrap(entry) >> 160));
}

function headOf(Entry entry) pure returns (bytes20) {
    return bytes20(uint160(Entry.unwrap(entry)));
}
