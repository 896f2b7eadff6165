// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "./interfaces/ITitleDeed.sol";
import {Entry, packEntry} from "./libraries/Entry.sol";

/// @title The numbered, hash-chained events and the anchors among them.
/// @dev First in the order of inheritance: storage proofs rely on slots 0 and 1.
abstract contract Log is ITitleDeed {
    /// @dev Slot 0: after the last event; what an anchor keeps is the same word.
    Entry private _last;
    /// @dev Slot 1.
    mapping(bytes32 root => mapping(address caller => Entry entry)) internal _anchors;

    /// @inheritdoc ITitleDeed
    function anchorOf(bytes32 root, address caller)
        external
        view
        returns (uint64 timestamp, uint64 sequence)
    {
        Entry entry = _anchors[root][caller];
        return (entry.timestampOf(), entry.sequenceOf());
    }

    /// @inheritdoc ITitleDeed
    function head() external view returns (uint64 sequence, bytes20 runningHash) {
        return (_last.sequenceOf(), _last.headOf());
    }

    /// @dev Numbers one more event of our own and binds it to all before it.
    function _append(bytes32 eventHash) internal returns (Entry entry) {
        uint256 sequence = _last.sequenceOf() + 1;
        bytes32 runningHash =
            keccak256(abi.encode(_last.headOf(), sequence, block.timestamp, eventHash));
        entry = packEntry(block.timestamp, sequence, bytes20(runningHash));
        _last = entry;
    }
}
