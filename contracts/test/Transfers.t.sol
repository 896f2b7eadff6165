// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Fixture} from "./Fixture.sol";
import {vm} from "./Vm.sol";
import {EagerReceiver} from "./Wallets.sol";

/// @dev The number to which a module binds an offer.
contract TransfersTest is Fixture {
    uint16 private constant MAX = 2047;

    uint256 private _deed;

    function setUp() public override {
        super.setUp();
        _deed = _issued(ALICE, CONTENT).deed;
    }

    function test_the_mint_is_no_transfer() public view {
        require(_transfers() == 0, "none");
    }

    /// @dev Holder, time and terms are as before the first transfer; the number tells.
    function test_a_deed_that_comes_back_has_another_count() public {
        _transfer(ALICE, BOB);
        _transfer(BOB, ALICE);
        require(deeds.ownerOf(_deed) == ALICE && _transfers() == 2, "there and back");
    }

    function test_a_transfer_to_its_holder_counts() public {
        _transfer(ALICE, ALICE);
        require(_transfers() == 1, "counted");
    }

    function test_every_way_to_transfer_counts() public {
        vm.prank(ALICE);
        deeds.safeTransferFrom(ALICE, BOB, _deed);
        require(_transfers() == 1, "safe");
        vm.prank(BOB);
        deeds.safeTransferFrom(BOB, ALICE, _deed, hex"01");
        require(_transfers() == 2, "safe with data");
        vm.prank(ALICE);
        deeds.approve(BOB, _deed);
        vm.prank(BOB);
        deeds.transferFrom(ALICE, BOB, _deed);
        require(_transfers() == 3, "by the approved");
        vm.prank(BOB);
        deeds.setApprovalForAll(MALLORY, true);
        vm.prank(MALLORY);
        deeds.transferFrom(BOB, ALICE, _deed);
        require(_transfers() == 4, "by an operator");
    }

    /// @dev The receiver withdraws the deed and passes it on before the first transfer returns.
    function test_a_transfer_inside_a_transfer_counts() public {
        EagerReceiver receiver = new EagerReceiver(deeds);
        vm.prank(ALICE);
        deeds.safeTransferFrom(ALICE, address(receiver), _deed);
        require(_transfers() == 2, "both");
    }

    function test_what_is_no_transfer_does_not_count() public {
        vm.prank(ALICE);
        deeds.approve(BOB, _deed);
        vm.prank(ALICE);
        deeds.setApprovalForAll(BOB, true);
        deeds.royaltyInfo(_deed, 1 ether);
        vm.prank(ALICE);
        deeds.recordEvent(bytes32(_deed), keccak256("published"), 0);
        vm.prank(ALICE);
        deeds.supersede(bytes32(_deed), keccak256("another"));
        vm.prank(ALICE);
        deeds.withdrawDeed(_deed);
        require(_transfers() == 0, "none");
    }

    function test_a_refused_transfer_does_not_count() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC721Errors.ERC721InsufficientApproval.selector, MALLORY, _deed
            )
        );
        vm.prank(MALLORY);
        deeds.transferFrom(ALICE, MALLORY, _deed);
        require(_transfers() == 0, "none");
    }

    function test_one_deed_counts_for_itself_only() public {
        uint256 other = _issued(ALICE, keccak256("another content")).deed;
        _transfer(ALICE, BOB);
        (,,,,, uint16 transfers) = deeds.deedOf(other);
        require(transfers == 0, "other");
    }

    function testFuzz_transfers_touch_nothing_else(uint8 count, bool isWithdrawn) public {
        if (isWithdrawn) {
            vm.prank(ALICE);
            deeds.withdrawDeed(_deed);
        }
        for (uint256 i = 0; i < count % 20; ++i) {
            (address from, address to) = i % 2 == 0 ? (ALICE, BOB) : (BOB, ALICE);
            _transfer(from, to);
        }
        _requireKept(isWithdrawn, count % 20);
    }

    function test_the_count_stops_at_its_maximum() public {
        for (uint256 i = 0; i < MAX; ++i) {
            require(_transfers() == i, "one by one");
            _transfer(ALICE, ALICE);
        }
        _requireKept(false, MAX);
        _transfer(ALICE, BOB);
        vm.prank(BOB);
        deeds.withdrawDeed(_deed);
        _transfer(BOB, ALICE);
        _requireKept(true, MAX);
        require(deeds.ownerOf(_deed) == ALICE, "it still changes hands");
    }

    function _requireKept(bool withdrawn, uint16 count) private view {
        (
            address claimant,
            uint64 timestamp,
            uint64 sequence,
            uint16 royalty,
            bool isWithdrawn,
            uint16 transfers
        ) = deeds.deedOf(_deed);
        require(claimant == ALICE && timestamp == NOW && sequence == 1, "anchor");
        require(royalty == ROYALTY && isWithdrawn == withdrawn, "terms");
        require(transfers == count, "count");
    }

    function _transfer(address from, address to) private {
        vm.prank(from);
        deeds.transferFrom(from, to, _deed);
    }

    function _transfers() private view returns (uint16 transfers) {
        (,,,,, transfers) = deeds.deedOf(_deed);
    }
}
