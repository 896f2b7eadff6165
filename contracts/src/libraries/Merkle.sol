// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "../interfaces/ITitleDeed.sol";

/// @title The Merkle tree of one anchor: the shape of RFC 6962, with the size bound into the root.
/// @dev Frozen; the same bytes as `titledeed.canonical.merkle`, held together by golden vectors.
library Merkle {
    bytes32 private constant ROOT_TAG = keccak256("titledeed.root.v1");
    uint256 internal constant SIZE_MAX = 2 ** 32;

    /// @notice Refuses a number of leaves outside 1 to 2^32.
    /// @param size The number of leaves.
    function requireSize(uint256 size) internal pure {
        require(size != 0 && size <= SIZE_MAX, ITitleDeed.SizeOutOfRange(size));
    }

    /// @notice The root to which a leaf and its path lead (RFC 9162 section 2.1.3.2).
    /// @param leaf The leaf.
    /// @param index Its position, from 0.
    /// @param size The number of leaves.
    /// @param path The audit path, bottom first.
    /// @return The root, with the size bound into it.
    function rootOf(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        internal
        pure
        returns (bytes32)
    {
        requireSize(size);
        require(index < size, ITitleDeed.IndexOutOfRange(index, size));
        bytes32 node = leaf;
        uint256 position = index;
        uint256 used = 0;
        // A node without a sibling, the last of its level, is carried up as it is.
        for (uint256 last = size - 1; last != 0; last >>= 1) {
            if (position & 1 == 1 || position != last) {
                if (used == path.length) {
                    revert ITitleDeed.PathLengthMismatch(path.length, index, size);
                }
                node = _join(position, node, _nodeAt(path, used));
                unchecked {
                    ++used;
                }
            }
            position >>= 1;
        }
        require(used == path.length, ITitleDeed.PathLengthMismatch(path.length, index, size));
        return keccak256(abi.encode(ROOT_TAG, size, node));
    }

    /// @dev `path[place]`, without a second look at the length, which the caller has compared.
    function _nodeAt(bytes32[] calldata path, uint256 place) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            node := calldataload(add(path.offset, shl(5, place)))
        }
    }

    /// @dev `keccak256(0x01 ‖ left ‖ right)`, where a node at an odd position is the right one;
    /// without a copy in memory and a jump for each level.
    function _join(uint256 position, bytes32 node, bytes32 sibling)
        private
        pure
        returns (bytes32 parent)
    {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let right := shl(5, and(position, 1))
            mstore8(free, 0x01)
            mstore(add(add(free, 0x01), right), node)
            mstore(sub(add(free, 0x21), right), sibling)
            parent := keccak256(free, 0x41)
        }
    }
}
