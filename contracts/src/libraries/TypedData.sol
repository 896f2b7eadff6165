// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What an actor signs when somebody else pays (EIP-712).
/// @dev Frozen; held together with the Python client by golden vectors. Every struct names its
/// actor: an owner of two ERC-1271 wallets must not have an act of one replayed for the other.
library TypedData {
    string internal constant NAME = "Titledeed";
    string internal constant VERSION = "1";

    bytes32 private constant NAME_HASH = keccak256("Titledeed");
    bytes32 private constant VERSION_HASH = keccak256("1");
    bytes32 private constant DOMAIN = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant ANCHOR =
        keccak256("Anchor(address actor,bytes32 root,uint256 size,uint256 deadline)");
    bytes32 private constant ISSUE = keccak256(
        "Issue(address actor,bytes32 leaf,bytes32 root,address anchoredBy,uint16 royalty,uint256[] parents,uint256 deadline)"
    );
    bytes32 private constant WITHDRAW =
        keccak256("Withdraw(address actor,bytes32 leaf,uint256 deadline)");
    bytes32 private constant WITHDRAW_DEED =
        keccak256("WithdrawDeed(address actor,uint256 deed,uint256 deadline)");
    bytes32 private constant SUPERSEDE =
        keccak256("Supersede(address actor,bytes32 subject,bytes32 successor,uint256 deadline)");
    bytes32 private constant RECORD_EVENT = keccak256(
        "RecordEvent(address actor,bytes32 subject,bytes32 kind,bytes32 digest,uint256 deadline)"
    );
    bytes32 private constant DECLARE_KEY = keccak256(
        "DeclareKey(address actor,address key,address successor,uint64 since,uint256 deadline)"
    );
    bytes32 private constant PUBLISH_BINDING = keccak256(
        "PublishBinding(address actor,bytes32 bindingHash,string endpoint,string manifestId,uint256 deadline)"
    );

    /// @dev Computed at each call, never kept: the code is the same bytes on every chain, and a
    /// chain that splits off gets a separator of its own.
    function domainSeparator() internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    }

    function anchor(address actor, bytes32 root, uint256 size, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(ANCHOR, actor, root, size, deadline));
    }

    /// @dev Binds the anchor: otherwise a watcher could date the deed by another one.
    function issue(
        address actor,
        bytes32 leaf,
        bytes32 root,
        address anchoredBy,
        uint16 royalty,
        uint256[] calldata parents,
        uint256 deadline
    ) internal pure returns (bytes32) {
        bytes32 list = keccak256(abi.encodePacked(parents));
        return keccak256(abi.encode(ISSUE, actor, leaf, root, anchoredBy, royalty, list, deadline));
    }

    function withdraw(address actor, bytes32 leaf, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(WITHDRAW, actor, leaf, deadline));
    }

    function withdrawDeed(address actor, uint256 deed, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(WITHDRAW_DEED, actor, deed, deadline));
    }

    function supersede(address actor, bytes32 subject, bytes32 successor, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(SUPERSEDE, actor, subject, successor, deadline));
    }

    function recordEvent(
        address actor,
        bytes32 subject,
        bytes32 kind,
        bytes32 digest,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECORD_EVENT, actor, subject, kind, digest, deadline));
    }

    function declareKey(
        address actor,
        address key,
        address successor,
        uint64 since,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(DECLARE_KEY, actor, key, successor, since, deadline));
    }

    function publishBinding(
        address actor,
        bytes32 bindingHash,
        string calldata endpoint,
        string calldata manifestId,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                PUBLISH_BINDING,
                actor,
                bindingHash,
                keccak256(bytes(endpoint)),
                keccak256(bytes(manifestId)),
                deadline
            )
        );
    }
}
