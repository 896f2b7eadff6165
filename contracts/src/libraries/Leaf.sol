// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Leaves: salted commitments to one claim each.
/// @dev Frozen; the same bytes as `titledeed.canonical.leaves`, held together by golden vectors.
library Leaf {
    bytes32 private constant CONTENT_TAG = keccak256("titledeed.content.v1");
    bytes32 private constant LEAF_TAG = keccak256("titledeed.leaf.v1");
    bytes32 private constant DEED_TAG = keccak256("titledeed.deed.v1");

    /// @notice The content part of a leaf.
    /// @param contentDigest SHA-256 of the media before signing.
    /// @param salt The salt that hides the digest.
    /// @return The commitment.
    function commitContent(bytes32 contentDigest, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONTENT_TAG, contentDigest, salt));
    }

    /// @notice A leaf from its two parts.
    /// @param claimant Who claims.
    /// @param contentPart The commitment to the content.
    /// @param recordPart The commitment to the record.
    /// @return The leaf.
    function hash(address claimant, bytes32 contentPart, bytes32 recordPart)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(LEAF_TAG, claimant, contentPart, recordPart));
    }

    /// @notice The token id of the one deed of a claimant on a content.
    /// @param claimant Who claims.
    /// @param contentDigest SHA-256 of the media before signing.
    /// @return The token id.
    function deedId(address claimant, bytes32 contentDigest) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(DEED_TAG, claimant, contentDigest)));
    }
}
