// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Fixture, deploy} from "./Fixture.sol";
import {Vm, vm} from "./Vm.sol";

/// @dev Relayed calls whose digests eth-account made: the contract at the vector's address, on the
/// vector's chain, takes the signature. A refusal for a later reason shows that it took it, too.
contract RelayVectorsTest {
    string private vectors;
    uint256 private count;

    function setUp() public {
        vectors = vm.readFile("../tests/conformance/vectors/typed_data.json");
        count = vm.parseJsonUint(vectors, ".caseCount");
        require(count >= 16, "vectors");
    }

    function test_every_signature_of_the_vectors_is_taken() public {
        for (uint256 i = 0; i < count; ++i) {
            (bool done, bytes4 problem) = _send(i, 0);
            bool isTaken = done || problem == ITitleDeed.NotIssued.selector
                || problem == ITitleDeed.NotAnchored.selector;
            require(isTaken, vm.toString(i));
        }
    }

    function test_no_signature_of_the_vectors_is_taken_on_another_chain() public {
        for (uint256 i = 0; i < count; ++i) {
            (bool done, bytes4 problem) = _send(i, 1);
            require(!done && problem == ITitleDeed.SignatureInvalid.selector, vm.toString(i));
        }
    }

    function _send(uint256 which, uint256 distance) private returns (bool done, bytes4 problem) {
        string memory key = string.concat(".cases[", vm.toString(which), "]");
        vm.chainId(vm.parseJsonUint(vectors, string.concat(key, ".chainId")) + distance);
        address target = vm.parseJsonAddress(vectors, string.concat(key, ".contract"));
        vm.etch(target, address(deploy("")).code);
        bytes memory answer;
        (done, answer) = target.call(vm.parseJsonBytes(vectors, string.concat(key, ".call")));
        // forge-lint: disable-next-line(unsafe-typecast)
        problem = bytes4(answer);
    }
}

contract RelayTest is Fixture {
    bytes32 private constant ROOT = keccak256("root");
    bytes32 private constant KIND = keccak256("screened");

    function test_anchorFor_stands_under_its_actor() public {
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(ALICE, ROOT, 7));
        vm.prank(BOB);
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
        (, uint64 ofActor) = deeds.anchorOf(ROOT, ALICE);
        (, uint64 ofPayer) = deeds.anchorOf(ROOT, BOB);
        require(ofActor == 1 && ofPayer == 0, "actor");
    }

    function test_anchorFor_replayed_is_silent() public {
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(ALICE, ROOT, 7));
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
        vm.recordLogs();
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
        require(vm.getRecordedLogs().length == 0, "silent");
    }

    function test_issueFor_mints_to_the_claimant() public {
        Claim memory claim = _anchored(ALICE, CONTENT);
        bytes memory signature = _sign(ALICE_KEY, _hashIssue(claim, ROYALTY, _none()));
        vm.prank(BOB);
        deeds.issueFor(claim.opening, claim.inclusion, ROYALTY, _none(), LATER, signature);
        require(deeds.ownerOf(claim.deed) == ALICE, "holder");
    }

    function test_issueFor_replayed_is_refused() public {
        Claim memory claim = _anchored(ALICE, CONTENT);
        bytes memory signature = _sign(ALICE_KEY, _hashIssue(claim, ROYALTY, _none()));
        deeds.issueFor(claim.opening, claim.inclusion, ROYALTY, _none(), LATER, signature);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeedExists.selector, claim.deed));
        deeds.issueFor(claim.opening, claim.inclusion, ROYALTY, _none(), LATER, signature);
    }

    function test_withdrawDeedFor_replayed_is_silent() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        bytes memory signature = _sign(ALICE_KEY, _hashWithdrawDeed(ALICE, claim.deed));
        deeds.withdrawDeedFor(claim.deed, ALICE, LATER, signature);
        vm.recordLogs();
        deeds.withdrawDeedFor(claim.deed, ALICE, LATER, signature);
        require(vm.getRecordedLogs().length == 0, "silent");
    }

    /// @dev The contract keeps nothing of it, so readers count equal entries once.
    function test_a_replayed_entry_differs_in_nothing_but_its_place() public {
        bytes memory signature = _sign(ALICE_KEY, _hashRecord(ALICE, ROOT, KIND, 0));
        vm.recordLogs();
        deeds.recordEventFor(ROOT, KIND, 0, ALICE, LATER, signature);
        deeds.recordEventFor(ROOT, KIND, 0, ALICE, LATER, signature);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs.length == 2, "two entries");
        require(
            keccak256(abi.encode(logs[0].topics)) == keccak256(abi.encode(logs[1].topics)), "topics"
        );
        (bytes32 first, bool ofFirst) = abi.decode(logs[0].data, (bytes32, bool));
        (bytes32 second, bool ofSecond) = abi.decode(logs[1].data, (bytes32, bool));
        require(first == second && ofFirst == ofSecond, "data");
    }

    function test_the_last_second_of_the_deadline_is_in_time() public {
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(ALICE, ROOT, 7));
        vm.warp(LATER + 1);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeadlinePassed.selector, LATER));
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
        vm.warp(LATER);
        deeds.anchorFor(ROOT, 7, ALICE, LATER, signature);
    }

    function testFuzz_a_signature_covers_every_argument(bytes32 root, uint32 size, uint32 later)
        public
    {
        vm.assume(root != ROOT || size != 6 || later != 0);
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(ALICE, ROOT, 7));
        vm.expectRevert(_refused(ALICE));
        deeds.anchorFor(root, uint256(size) + 1, ALICE, LATER + later, signature);
    }

    function testFuzz_an_issue_signature_covers_terms_and_anchor(
        uint16 royalty,
        bytes32 root,
        address anchoredBy
    ) public {
        Claim memory claim = _anchored(ALICE, CONTENT);
        vm.assume(
            royalty != ROYALTY || root != claim.inclusion.root
                || anchoredBy != claim.inclusion.anchoredBy
        );
        bytes memory signature = _sign(ALICE_KEY, _hashIssue(claim, ROYALTY, _none()));
        claim.inclusion.root = root;
        claim.inclusion.anchoredBy = anchoredBy;
        vm.expectRevert(_refused(ALICE));
        deeds.issueFor(claim.opening, claim.inclusion, royalty, _none(), LATER, signature);
    }

    function testFuzz_no_bytes_but_the_signature_are_taken(bytes calldata noise) public {
        bytes memory signature = _sign(ALICE_KEY, _hashAnchor(ALICE, ROOT, 7));
        vm.assume(keccak256(noise) != keccak256(signature));
        vm.expectRevert(_refused(ALICE));
        deeds.anchorFor(ROOT, 7, ALICE, LATER, noise);
    }

    function test_the_zero_address_signs_nothing() public {
        vm.expectRevert(_refused(address(0)));
        deeds.anchorFor(ROOT, 7, address(0), LATER, new bytes(65));
    }

    function test_the_domain_is_that_of_this_contract_on_this_chain() public {
        vm.chainId(4242);
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = deeds.eip712Domain();
        require(fields == 0x0f && chainId == 4242 && verifyingContract == address(deeds), "place");
        require(keccak256(bytes(name)) == keccak256("Titledeed"), "name");
        require(keccak256(bytes(version)) == keccak256("1"), "version");
        require(salt == 0 && extensions.length == 0, "nothing else");
    }
}
