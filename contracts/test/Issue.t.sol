// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Fixture, deploy} from "./Fixture.sol";
import {Registry} from "./Registry.sol";
import {Vm, vm} from "./Vm.sol";

contract IssueTest is Fixture {
    function test_issue_mints_the_deed_to_its_claimant() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        require(deeds.ownerOf(claim.deed) == ALICE && deeds.balanceOf(ALICE) == 1, "holder");
    }

    function test_issue_dates_the_deed_by_its_anchor() public {
        deeds.anchor(keccak256("another"), 1);
        Claim memory claim = _anchored(ALICE, CONTENT);
        vm.warp(NOW + 30 days);
        _issue(claim, _none());
        (
            address claimant,
            uint64 timestamp,
            uint64 sequence,
            uint16 royalty,
            bool isWithdrawn,
            uint16 transfers
        ) = deeds.deedOf(claim.deed);
        require(claimant == ALICE && timestamp == NOW && sequence == 2, "anchor");
        require(royalty == ROYALTY && !isWithdrawn && transfers == 0, "terms");
    }

    function test_issue_tells_all_in_its_event() public {
        uint256[] memory parents = new uint256[](1);
        parents[0] = _issued(BOB, CONTENT).deed;
        Claim memory claim = _anchored(ALICE, CONTENT);
        vm.recordLogs();
        _issue(claim, parents);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs.length == 2 && logs[0].topics[0] == IERC721.Transfer.selector, "transfer");
        require(logs[1].topics[0] == ITitleDeed.Issued.selector, "kind");
        require(logs[1].topics[1] == bytes32(claim.deed), "deed");
        require(logs[1].topics[2] == claim.leaf, "leaf");
        require(logs[1].topics[3] == bytes32(uint256(uint160(ALICE))), "claimant");
        bytes32 data = keccak256(
            abi.encode(CONTENT, claim.inclusion.root, ALICE, ROYALTY, parents, _sequence(), _head())
        );
        require(keccak256(logs[1].data) == data, "data");
    }

    function test_issue_again_from_the_same_anchor_is_refused() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeedExists.selector, claim.deed));
        _issue(claim, _none());
    }

    function test_issue_again_with_other_terms_is_refused_and_changes_none() public {
        uint256[] memory parents = new uint256[](1);
        parents[0] = _issued(BOB, CONTENT).deed;
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeedExists.selector, claim.deed));
        vm.prank(ALICE);
        deeds.issue(claim.opening, claim.inclusion, ROYALTY + 1, parents);
        (,,, uint16 royalty,,) = deeds.deedOf(claim.deed);
        require(royalty == ROYALTY, "royalty");
    }

    function test_issue_again_after_a_transfer_is_refused_and_mints_nothing() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.prank(ALICE);
        deeds.transferFrom(ALICE, BOB, claim.deed);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeedExists.selector, claim.deed));
        _issue(claim, _none());
        require(deeds.ownerOf(claim.deed) == BOB, "holder");
    }

    function test_issue_again_from_another_anchor_is_refused() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.prank(BOB);
        deeds.anchor(claim.inclusion.root, 1);
        claim.inclusion.anchoredBy = BOB;
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeedExists.selector, claim.deed));
        _issue(claim, _none());
    }

    function test_issue_of_a_leaf_that_nobody_anchored_is_refused() public {
        Claim memory claim = _claim(ALICE, CONTENT);
        vm.expectRevert(
            abi.encodeWithSelector(ITitleDeed.NotAnchored.selector, claim.inclusion.root, ALICE)
        );
        _issue(claim, _none());
    }

    function test_issue_under_an_anchor_of_somebody_else_names_who_anchored() public {
        Claim memory claim = _claim(ALICE, CONTENT);
        vm.prank(BOB);
        deeds.anchor(claim.inclusion.root, 1);
        claim.inclusion.anchoredBy = BOB;
        _issue(claim, _none());
        require(deeds.ownerOf(claim.deed) == ALICE, "holder");
    }

    function test_issue_with_a_wrong_opening_is_refused() public {
        Claim memory claim = _anchored(ALICE, CONTENT);
        claim.opening.contentSalt ^= bytes32(uint256(1));
        bytes32 found = deeds.rootOf(
            deeds.leafOf(ALICE, CONTENT, claim.opening.contentSalt, claim.opening.recordPart),
            0,
            1,
            new bytes32[](0)
        );
        vm.expectRevert(
            abi.encodeWithSelector(ITitleDeed.RootMismatch.selector, claim.inclusion.root, found)
        );
        _issue(claim, _none());
    }

    function test_royalty_is_that_of_the_issue_and_goes_to_the_claimant() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.prank(ALICE);
        deeds.transferFrom(ALICE, BOB, claim.deed);
        (address receiver, uint256 amount) = deeds.royaltyInfo(claim.deed, 1 ether);
        require(receiver == ALICE && amount == 0.05 ether, "royalty");
    }

    function testFuzz_royalty_never_exceeds_the_price(uint256 price, uint16 royalty) public {
        royalty %= 10_001;
        Claim memory claim = _anchored(ALICE, CONTENT);
        vm.prank(ALICE);
        deeds.issue(claim.opening, claim.inclusion, royalty, _none());
        (, uint256 amount) = deeds.royaltyInfo(claim.deed, price);
        require(amount <= price, "royalty");
        (,,, uint16 kept,,) = deeds.deedOf(claim.deed);
        require(kept == royalty, "kept");
    }

    function testFuzz_royalty_above_the_price_is_refused(uint16 royalty) public {
        vm.assume(royalty > 10_000);
        Claim memory claim = _anchored(ALICE, CONTENT);
        vm.expectRevert(
            abi.encodeWithSelector(ITitleDeed.RoyaltyOutOfRange.selector, uint256(royalty))
        );
        vm.prank(ALICE);
        deeds.issue(claim.opening, claim.inclusion, royalty, _none());
    }

    function testFuzz_deed_word_keeps_what_it_was_given(
        uint256 key,
        bytes32 content,
        uint32 wait,
        uint8 before
    ) public {
        address claimant = vm.addr(key % (ORDER - 1) + 1);
        for (uint256 i = 0; i < before % 16; ++i) {
            deeds.anchor(keccak256(abi.encode(i)), 1);
        }
        vm.warp(NOW + wait);
        Claim memory claim = _issued(claimant, content);
        (address kept, uint64 timestamp, uint64 sequence,,,) = deeds.deedOf(claim.deed);
        require(kept == claimant && timestamp == NOW + wait, "claimant and time");
        require(sequence == before % 16 + 1, "sequence");
    }

    function test_nothing_is_known_of_a_deed_never_issued() public {
        (
            address claimant,
            uint64 timestamp,
            uint64 sequence,
            uint16 royalty,
            bool isWithdrawn,
            uint16 transfers
        ) = deeds.deedOf(7);
        require(claimant == address(0) && timestamp == 0 && sequence == 0, "anchor");
        require(royalty == 0 && !isWithdrawn && transfers == 0, "terms");
        (address receiver, uint256 amount) = deeds.royaltyInfo(7, 1 ether);
        require(receiver == address(0) && amount == 0, "royalty");
        vm.expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, uint256(7))
        );
        deeds.tokenURI(7);
    }

    function test_token_uri_is_empty_or_under_the_base() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        require(bytes(deeds.tokenURI(claim.deed)).length == 0, "standard");

        Registry other = deploy("https://deeds.example/");
        vm.prank(ALICE);
        other.anchor(claim.inclusion.root, 1);
        vm.prank(ALICE);
        other.issue(claim.opening, claim.inclusion, ROYALTY, _none());
        string memory expected = string.concat("https://deeds.example/", vm.toString(claim.deed));
        require(keccak256(bytes(other.tokenURI(claim.deed))) == keccak256(bytes(expected)), "uri");
        require(address(other).codehash == address(deeds).codehash, "the code is the same");
    }

    function test_interfaces_are_announced() public view {
        require(deeds.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        require(deeds.supportsInterface(type(IERC721).interfaceId), "ERC-721");
        require(deeds.supportsInterface(type(IERC721Metadata).interfaceId), "metadata");
        require(deeds.supportsInterface(type(IERC2981).interfaceId), "ERC-2981");
        require(!deeds.supportsInterface(0xffffffff), "none");
    }

    function test_sixteen_parents_are_accepted_and_seventeen_refused() public {
        uint256[] memory parents = _parents(17);
        Claim memory claim = _anchored(ALICE, CONTENT);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.TooManyParents.selector, 17));
        _issue(claim, parents);
        uint256[] memory fewer = new uint256[](16);
        for (uint256 i = 0; i < fewer.length; ++i) {
            fewer[i] = parents[i];
        }
        _issue(claim, fewer);
        require(deeds.ownerOf(claim.deed) == ALICE, "issued");
    }

    function test_a_parent_is_not_named_twice() public {
        uint256 parent = _issued(BOB, CONTENT).deed;
        _refuseParents(
            _pair(parent, parent),
            abi.encodeWithSelector(ITitleDeed.ParentsNotAscending.selector, parent, parent)
        );
    }

    function test_parents_are_named_in_ascending_order() public {
        uint256[] memory parents = _parents(2);
        _refuseParents(
            _pair(parents[1], parents[0]),
            abi.encodeWithSelector(ITitleDeed.ParentsNotAscending.selector, parents[1], parents[0])
        );
    }

    function test_a_parent_must_be_issued() public {
        uint256[] memory parents = new uint256[](1);
        parents[0] = _anchored(BOB, CONTENT).deed;
        _refuseParents(parents, abi.encodeWithSelector(ITitleDeed.NotIssued.selector, parents[0]));
    }

    function test_a_deed_is_not_its_own_parent() public {
        uint256[] memory parents = new uint256[](1);
        parents[0] = _claim(ALICE, CONTENT).deed;
        _refuseParents(parents, abi.encodeWithSelector(ITitleDeed.NotIssued.selector, parents[0]));
    }

    function _refuseParents(uint256[] memory parents, bytes memory problem) private {
        Claim memory claim = _anchored(ALICE, CONTENT);
        vm.expectRevert(problem);
        _issue(claim, parents);
    }

    function _pair(uint256 first, uint256 second) private pure returns (uint256[] memory pair) {
        pair = new uint256[](2);
        (pair[0], pair[1]) = (first, second);
    }

    /// @dev Issued deeds, ascending.
    function _parents(uint256 count) private returns (uint256[] memory parents) {
        parents = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 deed = _issued(BOB, keccak256(abi.encode("parent", i))).deed;
            uint256 place = i;
            for (; place > 0 && parents[place - 1] > deed; --place) {
                parents[place] = parents[place - 1];
            }
            parents[place] = deed;
        }
    }

    function _sequence() private view returns (uint64 sequence) {
        (sequence,) = deeds.head();
    }

    function _head() private view returns (bytes20 runningHash) {
        (, runningHash) = deeds.head();
    }
}
