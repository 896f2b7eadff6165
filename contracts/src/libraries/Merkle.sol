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
        uint256 last = size - 1;
        for (uint256 i = 0; i < path.length; ++i) {
            require(last != 0, ITitleDeed.PathLengthMismatch(path.length, index, size));
            if (position % 2 == 1 || position == last) {
                node = _join(path[i], node);
                while (position % 2 == 0 && position != 0) {
                    position /= 2;
                    last /= 2;
                }
            } else {
                node = _join(node, path[i]);
            }
            position /= 2;
            last /= 2;
        }
        require(last == 0, ITitleDeed.PathLengthMismatch(path.length, index, size));
        return keccak256(abi.encode(ROOT_TAG, size, node));
    }

    function _join(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(bytes.concat(bytes1(0x01), left, right));
    }
}
