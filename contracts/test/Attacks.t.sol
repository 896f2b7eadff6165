// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Fixture, deploy} from "./Fixture.sol";
import {Registry} from "./Registry.sol";
import {Vm, vm} from "./Vm.sol";
import {
    EagerReceiver,
    ReenteringWallet,
    RevertingWallet,
    ShortAnswerWallet,
    Wallet,
    WrongMagicWallet
} from "./Wallets.sol";

/// @dev What somebody could try against a claimant, one by one.
contract AttacksTest is Fixture {
    bytes32 private constant ROOT = keccak256("root");
    bytes32 private constant KIND = keccak256("published");

    function test_a_root_copied_from_the_mempool_gains_nothing() public {
        Claim memory claim = _claim(ALICE, CONTENT);
        vm.prank(MALLORY);
        deeds.anchor(claim.inclusion.root, 1);
        vm.warp(NOW + 12);
        vm.prank(ALICE);
        deeds.anchor(claim.inclusion.root, 1);
        (uint64 timestamp,) = deeds.anchorOf(claim.inclusion.root, ALICE);
        require(timestamp == NOW + 12, "hers stands");

        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.NotClaimant.selector, ALICE, MALLORY));
        vm.prank(MALLORY);
        deeds.issue(claim.opening, claim.inclusion, 0, _none());
    }

    function test_a_squatted_content_locks_nobody_out() public {
        Claim memory squatted = _issued(MALLORY, CONTENT);
        vm.warp(NOW + 12);
        Claim memory claim = _issued(ALICE, CONTENT);
        require(deeds.ownerOf(squatted.deed) == MALLORY, "both");
        require(deeds.ownerOf(claim.deed) == ALICE, "coexist");
    }

    function test_a_copied_opening_issues_nothing_to_the_copyist() public {
        Claim memory claim = _anchored(ALICE, CONTENT);
        claim.opening.claimant = MALLORY;
        bytes32 leaf =
            deeds.leafOf(MALLORY, CONTENT, claim.opening.contentSalt, claim.opening.recordPart);
        bytes32 found = deeds.rootOf(leaf, 0, 1, new bytes32[](0));
        vm.expectRevert(
            abi.encodeWithSelector(ITitleDeed.RootMismatch.selector, claim.inclusion.root, found)
        );
        _issue(claim, _none());
    }

    function test_a_signature_is_refused_on_another_chain() public {
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(ALICE, ROOT, 7));
        vm.chainId(block.chainid + 1);
        vm.expectRevert(_refused(ALICE));
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
    }

    function test_a_signature_is_refused_by_another_contract() public {
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(ALICE, ROOT, 7));
        Registry other = deploy("");
        vm.expectRevert(_refused(ALICE));
        other.anchorFor(ROOT, 7, ALICE, LATER, signature);
    }

    function test_a_signature_has_one_form_only() public {
        bytes32 digest = _digest(_hashAnchor(ALICE, ROOT, 7));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ALICE_KEY, digest);
        bytes32 high = bytes32(ORDER - uint256(s));
        uint8 flipped = v == 27 ? 28 : 27;
        bytes32 compact = bytes32(uint256(v - 27) << 255 | uint256(s));
        bytes[4] memory others = [
            abi.encodePacked(r, high, flipped),
            abi.encodePacked(r, s, v - 27),
            abi.encodePacked(r, compact),
            abi.encodePacked(r, s, v, hex"00")
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(_refused(ALICE));
            deeds.anchorFor(ROOT, 7, ALICE, LATER, others[i]);
        }
        deeds.anchorFor(ROOT, 7, ALICE, LATER, abi.encodePacked(r, s, v));
    }

    function test_a_proof_for_another_size_is_refused() public {
        (Claim memory claim, bytes32[] memory path) = _inPair();
        claim.inclusion.size = 1;
        claim.inclusion.path = new bytes32[](0);
        bytes32 found = deeds.rootOf(claim.leaf, 0, 1, new bytes32[](0));
        vm.expectRevert(
            abi.encodeWithSelector(ITitleDeed.RootMismatch.selector, claim.inclusion.root, found)
        );
        _issue(claim, _none());

        claim.inclusion.size = 3;
        claim.inclusion.path = path;
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.PathLengthMismatch.selector, 1, 0, 3));
        _issue(claim, _none());
    }

    /// @dev The caller of `anchor` states a size; only the size inside the root counts.
    function test_a_size_stated_wrongly_at_the_anchor_changes_no_proof() public {
        Claim memory claim = _claim(ALICE, CONTENT);
        vm.prank(ALICE);
        deeds.anchor(claim.inclusion.root, 1_000_000);
        _issue(claim, _none());
        require(deeds.ownerOf(claim.deed) == ALICE, "issued");
    }

    function test_a_node_does_not_pass_for_a_leaf() public {
        (Claim memory claim, bytes32[] memory path) = _inPair();
        bytes32 top = keccak256(bytes.concat(hex"01", claim.leaf, path[0]));
        require(
            deeds.rootOf(claim.leaf, 0, 2, path)
                == keccak256(abi.encode(keccak256("titledeed.root.v1"), 2, top)),
            "top"
        );
        require(deeds.rootOf(top, 0, 1, new bytes32[](0)) != claim.inclusion.root, "node as leaf");
    }

    /// @dev Two leaves that are the two halves of a node: their node is not that leaf.
    function testFuzz_a_leaf_does_not_pass_for_a_node(bytes32 left, bytes32 right) public view {
        bytes32[] memory path = new bytes32[](1);
        path[0] = right;
        bytes32 asLeaf = keccak256(bytes.concat(left, right));
        require(
            deeds.rootOf(left, 0, 2, path) != deeds.rootOf(asLeaf, 0, 1, new bytes32[](0)), "leaf"
        );
    }

    function test_a_relayed_issue_is_not_dated_anew() public {
        Claim memory claim = _claim(ALICE, CONTENT);
        vm.prank(MALLORY);
        deeds.anchor(claim.inclusion.root, 1);
        vm.warp(NOW + 12);
        vm.prank(ALICE);
        deeds.anchor(claim.inclusion.root, 1);
        bytes memory signature = _sign(ALICE_KEY, _hashIssue(claim, ROYALTY, _none()));

        claim.inclusion.anchoredBy = MALLORY;
        vm.expectRevert(_refused(ALICE));
        deeds.issueFor(claim.opening, claim.inclusion, ROYALTY, _none(), LATER, signature);

        claim.inclusion.anchoredBy = ALICE;
        deeds.issueFor(claim.opening, claim.inclusion, ROYALTY, _none(), LATER, signature);
        (, uint64 timestamp,,,,) = deeds.deedOf(claim.deed);
        require(timestamp == NOW + 12, "hers");
    }

    /// @dev The claimant changed her mind, and somebody kept the first signature. Which comes first
    /// nobody can decide for her, but her own issue does not pass for done.
    function test_an_older_signature_that_wins_is_not_mistaken_for_the_newer() public {
        Claim memory claim = _anchored(ALICE, CONTENT);
        bytes memory older = _sign(ALICE_KEY, _hashIssue(claim, 1000, _none()));
        bytes memory newer = _sign(ALICE_KEY, _hashIssue(claim, ROYALTY, _none()));
        vm.prank(MALLORY);
        deeds.issueFor(claim.opening, claim.inclusion, 1000, _none(), LATER, older);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeedExists.selector, claim.deed));
        deeds.issueFor(claim.opening, claim.inclusion, ROYALTY, _none(), LATER, newer);
        (,,, uint16 royalty,,) = deeds.deedOf(claim.deed);
        require(royalty == 1000, "the first stands");
    }

    function test_a_signature_past_its_deadline_fixes_no_terms() public {
        Claim memory claim = _anchored(ALICE, CONTENT);
        bytes memory older = _sign(ALICE_KEY, _hashIssue(claim, 1000, _none()));
        vm.warp(LATER + 1);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeadlinePassed.selector, LATER));
        deeds.issueFor(claim.opening, claim.inclusion, 1000, _none(), LATER, older);
        _issue(claim, _none());
        (,,, uint16 royalty,,) = deeds.deedOf(claim.deed);
        require(royalty == ROYALTY, "hers");
    }

    /// @dev A slot for each withdrawal would cost more than the withdrawal, so the contract cannot
    /// refuse; the log cannot be told otherwise, and readers keep the claim withdrawn.
    function test_a_leaf_withdrawn_before_its_issue_stays_withdrawn_in_the_log() public {
        Claim memory claim = _anchored(ALICE, CONTENT);
        vm.recordLogs();
        vm.prank(ALICE);
        deeds.withdraw(claim.leaf);
        _issue(claim, _none());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs[0].topics[0] == ITitleDeed.Withdrawn.selector, "withdrawn first");
        require(logs[2].topics[0] == ITitleDeed.Issued.selector, "issued then");
        require(logs[0].topics[1] == claim.leaf && logs[2].topics[2] == claim.leaf, "one leaf");
        (, uint64 withdrawnAt,) = abi.decode(logs[0].data, (bool, uint64, bytes20));
        (uint64 last,) = deeds.head();
        require(withdrawnAt == 2 && last == 3, "order");
    }

    function test_a_claim_in_the_name_of_a_victim_cannot_be_issued() public {
        Claim memory claim = _claim(ALICE, CONTENT);
        vm.prank(MALLORY);
        deeds.anchor(claim.inclusion.root, 1);
        claim.inclusion.anchoredBy = MALLORY;
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.NotClaimant.selector, ALICE, MALLORY));
        vm.prank(MALLORY);
        deeds.issue(claim.opening, claim.inclusion, 0, _none());

        bytes memory signature = _sign(BOB_KEY, _hashIssue(claim, 0, _none()));
        vm.expectRevert(_refused(ALICE));
        deeds.issueFor(claim.opening, claim.inclusion, 0, _none(), LATER, signature);
    }

    function test_a_stranger_cannot_act_for_a_deed() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        bytes memory problem =
            abi.encodeWithSelector(ITitleDeed.NotHolder.selector, claim.deed, MALLORY);
        vm.expectRevert(problem);
        vm.prank(MALLORY);
        deeds.withdrawDeed(claim.deed);
        vm.expectRevert(problem);
        vm.prank(MALLORY);
        deeds.supersede(bytes32(claim.deed), ROOT);
        vm.expectRevert(problem);
        vm.prank(MALLORY);
        deeds.recordEvent(bytes32(claim.deed), KIND, 0);
    }

    /// @dev `withdraw` does not ask who holds what, so its event never says that the holder acted.
    function test_a_deed_withdrawn_as_a_leaf_by_a_stranger_is_not_withdrawn() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.recordLogs();
        vm.prank(MALLORY);
        deeds.withdraw(bytes32(claim.deed));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (bool byHolder,,) = abi.decode(logs[0].data, (bool, uint64, bytes20));
        (,,,, bool isWithdrawn,) = deeds.deedOf(claim.deed);
        require(!byHolder && !isWithdrawn, "untouched");
        require(logs[0].topics[2] == bytes32(uint256(uint160(MALLORY))), "her own name");
    }

    function test_a_signature_of_a_former_holder_is_worth_nothing() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        bytes memory signature = _sign(ALICE_KEY, _hashWithdrawDeed(ALICE, claim.deed));
        vm.prank(ALICE);
        deeds.transferFrom(ALICE, BOB, claim.deed);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.NotHolder.selector, claim.deed, ALICE));
        deeds.withdrawDeedFor(claim.deed, ALICE, LATER, signature);
    }

    function test_a_wallet_acts_by_its_owner() public {
        Wallet wallet = new Wallet(ALICE);
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(address(wallet), ROOT, 7));
        deeds.anchorFor(ROOT, 7, address(wallet), LATER, signature);
        (, uint64 sequence) = deeds.anchorOf(ROOT, address(wallet));
        require(sequence == 1, "anchored");
    }

    function test_a_wallet_can_be_a_claimant() public {
        Wallet wallet = new Wallet(ALICE);
        Claim memory claim = _anchored(address(wallet), CONTENT);
        bytes memory signature = _sign(ALICE_KEY, _hashIssue(claim, ROYALTY, _none()));
        deeds.issueFor(claim.opening, claim.inclusion, ROYALTY, _none(), LATER, signature);
        require(deeds.ownerOf(claim.deed) == address(wallet), "holder");
    }

    function test_an_act_of_one_wallet_is_not_replayed_for_another_of_the_same_owner() public {
        Wallet first = new Wallet(ALICE);
        Wallet second = new Wallet(ALICE);
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(address(first), ROOT, 7));
        vm.expectRevert(_refused(address(second)));
        deeds.anchorFor(ROOT, 7, address(second), LATER, signature);
        vm.expectRevert(_refused(ALICE));
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
    }

    function test_a_wallet_that_changes_its_owner_follows_the_new_one() public {
        Wallet wallet = new Wallet(ALICE);
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(address(wallet), ROOT, 7));
        deeds.anchorFor(ROOT, 7, address(wallet), LATER, signature);
        wallet.changeOwner(BOB);
        vm.expectRevert(_refused(address(wallet)));
        deeds.anchorFor(ROOT, 7, address(wallet), LATER, signature);
        (, uint64 sequence) = deeds.anchorOf(ROOT, address(wallet));
        require(sequence == 1, "what was anchored stands");
        bytes memory next = _sign(BOB_KEY, _hashAnchor(address(wallet), ROOT, 7));
        deeds.anchorFor(ROOT, 7, address(wallet), LATER, next);
    }

    function test_a_wallet_that_does_not_say_yes_is_refused() public {
        address[3] memory wallets = [
            address(new WrongMagicWallet()),
            address(new RevertingWallet()),
            address(new ShortAnswerWallet())
        ];
        for (uint256 i = 0; i < wallets.length; ++i) {
            vm.expectRevert(_refused(wallets[i]));
            deeds.anchorFor(ROOT, 7, wallets[i], LATER, hex"01");
        }
    }

    function test_a_wallet_cannot_re_enter() public {
        ReenteringWallet wallet = new ReenteringWallet(deeds);
        deeds.anchorFor(ROOT, 7, address(wallet), LATER, hex"01");
        (uint64 last,) = deeds.head();
        require(last == 1, "one event");
    }

    function test_a_delegated_account_signs_as_before() public {
        vm.etch(ALICE, abi.encodePacked(hex"ef0100", address(new RevertingWallet())));
        require(ALICE.code.length == 23, "has code");
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(ALICE, ROOT, 7));
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
        (, uint64 sequence) = deeds.anchorOf(ROOT, ALICE);
        require(sequence == 1, "anchored");
    }

    /// @dev A real EIP-7702 delegation: what the code says does not override the key, nor the key
    /// the code.
    function test_a_delegated_account_may_also_act_by_its_code() public {
        Wallet wallet = new Wallet(address(0));
        vm.signAndAttachDelegation(address(wallet), ALICE_KEY);
        Wallet(ALICE).changeOwner(BOB);
        bytes memory signature = _sign(BOB_KEY, _hashAnchor(ALICE, ROOT, 7));
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
        bytes memory own = _sign(ALICE_KEY, _hashAnchor(ALICE, KIND, 7));
        deeds.anchorFor(KIND, 7, ALICE, LATER, own);
        (uint64 last,) = deeds.head();
        require(last == 2, "both");
    }

    function test_minting_calls_no_receiver() public {
        EagerReceiver receiver = new EagerReceiver(deeds);
        Claim memory claim = _anchored(address(receiver), CONTENT);
        receiver.issue(claim.opening, claim.inclusion);
        require(receiver.calls() == 0, "not called");
        require(deeds.ownerOf(claim.deed) == address(receiver), "holder");
    }

    function test_a_receiver_that_re_enters_finds_all_written() public {
        EagerReceiver receiver = new EagerReceiver(deeds);
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.prank(ALICE);
        IERC721(deeds).safeTransferFrom(ALICE, address(receiver), claim.deed);
        (,,,, bool isWithdrawn,) = deeds.deedOf(claim.deed);
        (uint64 last,) = deeds.head();
        require(isWithdrawn && last == 3, "it acted as the holder that it was");
        require(deeds.ownerOf(claim.deed) == address(0xdead), "and passed the deed on");
        require(deeds.balanceOf(address(receiver)) == 0, "balance");
    }

    /// @dev A leaf 0 of two, anchored by Alice.
    function _inPair() private returns (Claim memory claim, bytes32[] memory path) {
        claim = _claim(ALICE, CONTENT);
        path = new bytes32[](1);
        path[0] = keccak256("the other leaf");
        claim.inclusion.size = 2;
        claim.inclusion.path = path;
        claim.inclusion.root = deeds.rootOf(claim.leaf, 0, 2, path);
        vm.prank(ALICE);
        deeds.anchor(claim.inclusion.root, 2);
    }
}
