// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "./interfaces/ITitleDeed.sol";
import {Entry, packEntry} from "./libraries/Entry.sol";
import {Leaf} from "./libraries/Leaf.sol";
import {Merkle} from "./libraries/Merkle.sol";

/// @title The core registry; {ITitleDeed} documents it.
contract TitleDeed is ITitleDeed {
    /// @dev After the last event; what an anchor keeps is the same word.
    Entry private _last;
    mapping(bytes32 root => mapping(address caller => Entry entry)) private _anchors;

    /// @inheritdoc ITitleDeed
    function anchor(bytes32 root, uint256 size) external {
        Merkle.requireSize(size);
        if (_anchors[root][msg.sender].sequenceOf() != 0) return;

        Entry entry = _append(keccak256(abi.encode(Anchored.selector, root, msg.sender, size)));
        _anchors[root][msg.sender] = entry;
        emit Anchored(root, msg.sender, entry.sequenceOf(), uint64(size), entry.headOf());
    }

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

    /// @inheritdoc ITitleDeed
    function leafOf(
        address claimant,
        bytes32 contentDigest,
        bytes32 contentSalt,
        bytes32 recordPart
    ) external pure returns (bytes32 leaf) {
        return Leaf.hash(claimant, Leaf.commitContent(contentDigest, contentSalt), recordPart);
    }

    /// @inheritdoc ITitleDeed
    function rootOf(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        external
        pure
        returns (bytes32 root)
    {
        return Merkle.rootOf(leaf, index, size, path);
    }

    /// @dev Numbers one more event of our own and binds it to all before it.
    function _append(bytes32 eventHash) private returns (Entry entry) {
        uint256 sequence = _last.sequenceOf() + 1;
        bytes32 runningHash =
            keccak256(abi.encode(_last.headOf(), sequence, block.timestamp, eventHash));
        entry = packEntry(block.timestamp, sequence, bytes20(runningHash));
        _last = entry;
    }
}
