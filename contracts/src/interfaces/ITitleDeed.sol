// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A registry of claims on media and of their order in time.
/// @notice It records who claimed what and when; it never decides who is right. No owner, no
/// proxy, no pause: what is written stays, and nobody can change the rules.
interface ITitleDeed {
    /// @notice The number of leaves is outside 1 to 2^32.
    /// @param size The number given.
    error SizeOutOfRange(uint256 size);

    /// @notice A leaf with this index cannot stand in a tree of this size.
    /// @param index The index given, from 0.
    /// @param size The size given.
    error IndexOutOfRange(uint256 index, uint256 size);

    /// @notice A path of this length cannot lead from this leaf to the root.
    /// @param length The number of nodes given.
    /// @param index The index given.
    /// @param size The size given.
    error PathLengthMismatch(uint256 length, uint256 index, uint256 size);

    /// @notice A Merkle root was anchored.
    /// @param root Commits to the leaves and to their number.
    /// @param caller Who anchored, and claims nothing by it.
    /// @param sequence Position among the contract's own events, from 1 without a gap.
    /// @param size The number of leaves that the caller states; a proof holds only for the number
    /// bound into the root.
    /// @param head The running hash after this event; see {head}.
    event Anchored(
        bytes32 indexed root, address indexed caller, uint64 sequence, uint64 size, bytes20 head
    );

    /// @notice Anchors a Merkle root in the name of the caller.
    /// @dev The root commits to claims that name their claimants, so copying somebody's root gains
    /// nothing. A root that the caller anchored before keeps its first time and emits nothing; the
    /// same root by two callers stands twice.
    /// @param root The root, with the number of leaves bound into it.
    /// @param size The number of leaves, 1 to 2^32.
    function anchor(bytes32 root, uint256 size) external;

    /// @notice When a caller anchored a root.
    /// @param root The root.
    /// @param caller Who anchored it.
    /// @return timestamp Block time in seconds since 1970; 0 if the caller never anchored it.
    /// @return sequence Position among the contract's own events; 0 likewise.
    function anchorOf(bytes32 root, address caller)
        external
        view
        returns (uint64 timestamp, uint64 sequence);

    /// @notice How far the contract has got. A follower that recomputes the running hash over the
    /// events it has seen proves that it missed none.
    /// @dev `head' = bytes20(keccak256(abi.encode(head, sequence, block.timestamp, eventHash)))`
    /// from `head = 0`; for {Anchored}, `eventHash` is
    /// `keccak256(abi.encode(Anchored.selector, root, caller, size))`.
    /// @return sequence The number of events so far.
    /// @return runningHash The running hash after the last of them.
    function head() external view returns (uint64 sequence, bytes20 runningHash);

    /// @notice The leaf of one claim, from its opened content part and its closed record part.
    /// @param claimant Who claims.
    /// @param contentDigest SHA-256 of the media before signing.
    /// @param contentSalt The salt that hid the digest.
    /// @param recordPart The commitment to the rest of the record.
    /// @return leaf The leaf.
    function leafOf(
        address claimant,
        bytes32 contentDigest,
        bytes32 contentSalt,
        bytes32 recordPart
    ) external pure returns (bytes32 leaf);

    /// @notice The root to which a leaf and its path lead (RFC 9162 section 2.1.3.2).
    /// @param leaf The leaf.
    /// @param index Its position, from 0.
    /// @param size The number of leaves.
    /// @param path The audit path, bottom first.
    /// @return root The root, with the size bound into it.
    function rootOf(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        external
        pure
        returns (bytes32 root);
}
