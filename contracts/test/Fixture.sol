// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Registry} from "./Registry.sol";
import {vm} from "./Vm.sol";

/// @dev By name: `new` would compile the contract once more inside each test contract.
function deploy(string memory baseURI) returns (Registry) {
    return Registry(vm.deployCode("TitleDeed.sol:TitleDeed", abi.encode(baseURI)));
}

/// @dev People, claims and signatures. What is signed is spelled out here again, because the
/// contract must not be the judge of its own encoding.
abstract contract Fixture {
    struct Claim {
        ITitleDeed.Opening opening;
        ITitleDeed.Inclusion inclusion;
        bytes32 leaf;
        uint256 deed;
    }

    uint256 internal constant NOW = 1_790_000_000;
    uint256 internal constant LATER = NOW + 1 days;
    uint256 internal constant ALICE_KEY = uint256(keccak256("alice"));
    uint256 internal constant BOB_KEY = uint256(keccak256("bob"));
    uint256 internal constant ORDER =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    bytes32 internal constant CONTENT = keccak256("content");
    uint16 internal constant ROYALTY = 500;

    address internal immutable ALICE = vm.addr(ALICE_KEY);
    address internal immutable BOB = vm.addr(BOB_KEY);
    address internal constant MALLORY = address(0x3A110);

    Registry internal deeds;

    function setUp() public virtual {
        deeds = deploy("");
        vm.warp(NOW);
    }

    function _none() internal pure returns (uint256[] memory) {
        return new uint256[](0);
    }

    /// @dev A claim that nobody has anchored, alone in its tree.
    function _claim(address claimant, bytes32 content) internal view returns (Claim memory claim) {
        claim.opening = ITitleDeed.Opening(
            claimant, content, keccak256(abi.encode("salt", content)), keccak256("record")
        );
        claim.leaf =
            deeds.leafOf(claimant, content, claim.opening.contentSalt, claim.opening.recordPart);
        claim.deed = deeds.deedIdOf(claimant, content);
        bytes32 root = deeds.rootOf(claim.leaf, 0, 1, new bytes32[](0));
        claim.inclusion = ITitleDeed.Inclusion(root, claimant, 0, 1, new bytes32[](0));
    }

    function _anchored(address claimant, bytes32 content) internal returns (Claim memory claim) {
        claim = _claim(claimant, content);
        vm.prank(claimant);
        deeds.anchor(claim.inclusion.root, 1);
    }

    function _issued(address claimant, bytes32 content) internal returns (Claim memory claim) {
        claim = _anchored(claimant, content);
        _issue(claim, _none());
    }

    function _issue(Claim memory claim, uint256[] memory parents) internal {
        vm.prank(claim.opening.claimant);
        deeds.issue(claim.opening, claim.inclusion, ROYALTY, parents);
    }

    function _sign(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _digest(structHash));
        return abi.encodePacked(r, s, v);
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Titledeed"),
                keccak256("1"),
                block.chainid,
                address(deeds)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _hashAnchor(address actor, bytes32 root, uint256 size)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256("Anchor(address actor,bytes32 root,uint256 size,uint256 deadline)");
        return keccak256(abi.encode(kind, actor, root, size, LATER));
    }

    function _hashIssue(Claim memory claim, uint16 royalty, uint256[] memory parents)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256(
            "Issue(address actor,bytes32 leaf,bytes32 root,address anchoredBy,uint16 royalty,uint256[] parents,uint256 deadline)"
        );
        return keccak256(
            abi.encode(
                kind,
                claim.opening.claimant,
                claim.leaf,
                claim.inclusion.root,
                claim.inclusion.anchoredBy,
                royalty,
                keccak256(abi.encodePacked(parents)),
                LATER
            )
        );
    }

    function _hashWithdrawDeed(address actor, uint256 deed) internal pure returns (bytes32) {
        bytes32 kind = keccak256("WithdrawDeed(address actor,uint256 deed,uint256 deadline)");
        return keccak256(abi.encode(kind, actor, deed, LATER));
    }

    function _hashRecord(address actor, bytes32 subject, bytes32 kind, bytes32 digest)
        internal
        pure
        returns (bytes32)
    {
        bytes32 act = keccak256(
            "RecordEvent(address actor,bytes32 subject,bytes32 kind,bytes32 digest,uint256 deadline)"
        );
        return keccak256(abi.encode(act, actor, subject, kind, digest, LATER));
    }

    function _refused(address actor) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ITitleDeed.SignatureInvalid.selector, actor);
    }
}
