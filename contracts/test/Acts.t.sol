// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Fixture} from "./Fixture.sol";
import {Vm, vm} from "./Vm.sol";

/// @dev What is done with claims, deeds and keys, and what each act leaves in the log.
contract ActsTest is Fixture {
    bytes32 private constant LEAF = keccak256("leaf");
    bytes32 private constant KIND = keccak256("published");
    bytes32 private constant DIGEST = keccak256("document");

    function test_withdraw_logs_the_caller_and_claims_nothing() public {
        _expect(
            abi.encodeCall(deeds.withdraw, (LEAF)),
            [ITitleDeed.Withdrawn.selector, LEAF, _word(ALICE), 0],
            abi.encode(false),
            keccak256(abi.encode(ITitleDeed.Withdrawn.selector, LEAF, ALICE, false))
        );
    }

    function test_withdrawDeed_sets_a_flag_for_good() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        bytes32 subject = bytes32(claim.deed);
        _expect(
            abi.encodeCall(deeds.withdrawDeed, (claim.deed)),
            [ITitleDeed.Withdrawn.selector, subject, _word(ALICE), 0],
            abi.encode(true),
            keccak256(abi.encode(ITitleDeed.Withdrawn.selector, subject, ALICE, true))
        );
        (address claimant, uint64 timestamp, uint64 sequence, uint16 royalty, bool isWithdrawn,) =
            deeds.deedOf(claim.deed);
        require(isWithdrawn, "flag");
        require(claimant == ALICE && timestamp == NOW && sequence == 1, "the rest stands");
        require(royalty == ROYALTY, "the royalty stands");

        vm.recordLogs();
        vm.prank(ALICE);
        deeds.withdrawDeed(claim.deed);
        require(vm.getRecordedLogs().length == 0, "again is silent");
    }

    function test_withdrawDeed_of_no_deed_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.NotIssued.selector, uint256(LEAF)));
        deeds.withdrawDeed(uint256(LEAF));
    }

    function test_supersede_of_a_leaf_logs_anybody() public {
        _expect(
            abi.encodeCall(deeds.supersede, (LEAF, DIGEST)),
            [ITitleDeed.Superseded.selector, LEAF, _word(ALICE), DIGEST],
            abi.encode(false),
            keccak256(abi.encode(ITitleDeed.Superseded.selector, LEAF, ALICE, DIGEST, false))
        );
    }

    function test_supersede_of_a_deed_is_by_its_holder() public {
        bytes32 subject = bytes32(_issued(ALICE, CONTENT).deed);
        _expect(
            abi.encodeCall(deeds.supersede, (subject, LEAF)),
            [ITitleDeed.Superseded.selector, subject, _word(ALICE), LEAF],
            abi.encode(true),
            keccak256(abi.encode(ITitleDeed.Superseded.selector, subject, ALICE, LEAF, true))
        );
    }

    function test_recordEvent_of_a_leaf_logs_anybody() public {
        _expect(
            abi.encodeCall(deeds.recordEvent, (LEAF, KIND, DIGEST)),
            [ITitleDeed.EventRecorded.selector, LEAF, _word(ALICE), KIND],
            abi.encode(DIGEST, false),
            keccak256(
                abi.encode(ITitleDeed.EventRecorded.selector, LEAF, ALICE, KIND, DIGEST, false)
            )
        );
    }

    function test_recordEvent_of_a_deed_is_by_its_holder() public {
        bytes32 subject = bytes32(_issued(ALICE, CONTENT).deed);
        _expect(
            abi.encodeCall(deeds.recordEvent, (subject, KIND, DIGEST)),
            [ITitleDeed.EventRecorded.selector, subject, _word(ALICE), KIND],
            abi.encode(DIGEST, true),
            keccak256(
                abi.encode(ITitleDeed.EventRecorded.selector, subject, ALICE, KIND, DIGEST, true)
            )
        );
    }

    function test_declareKey_logs_the_caller() public {
        _expect(
            abi.encodeCall(deeds.declareKey, (BOB, address(0), uint64(NOW))),
            [ITitleDeed.KeyDeclared.selector, _word(BOB), _word(ALICE), 0],
            abi.encode(uint64(NOW)),
            keccak256(
                abi.encode(ITitleDeed.KeyDeclared.selector, BOB, ALICE, address(0), uint64(NOW))
            )
        );
    }

    function test_publishBinding_keeps_its_texts_in_the_event() public {
        string memory endpoint = "https://registry.example/sbr";
        string memory manifest = "urn:c2pa:00000000-0000-4000-8000-000000000001";
        vm.recordLogs();
        vm.prank(ALICE);
        deeds.publishBinding(KIND, endpoint, manifest);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs[0].topics[0] == ITitleDeed.BindingPublished.selector, "kind");
        require(logs[0].topics[1] == KIND && logs[0].topics[2] == _word(ALICE), "topics");
        (uint64 sequence, bytes20 runningHash) = deeds.head();
        bytes32 eventHash = keccak256(
            abi.encode(ITitleDeed.BindingPublished.selector, KIND, ALICE, endpoint, manifest)
        );
        require(runningHash == _next(0, 1, eventHash), "head");
        bytes32 data = keccak256(abi.encode(endpoint, manifest, sequence, runningHash));
        require(keccak256(logs[0].data) == data, "data");
    }

    function test_describe_names_this_contract_and_the_topic_of_the_key() public view {
        string memory json = deeds.describe();
        require(
            keccak256(bytes(vm.parseJsonString(json, "[0].resolutionMethod")))
                == keccak256("eventLog"),
            "method"
        );
        require(
            vm.parseJsonAddress(json, "[0].queryEventLog.smartContractAddress") == address(deeds),
            "address"
        );
        require(
            keccak256(bytes(vm.parseJsonString(json, "[0].queryEventLog.keyTopic")))
                == keccak256("topic1"),
            "topic"
        );
    }

    function test_after_issue_only_the_holder_acts() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.prank(ALICE);
        deeds.transferFrom(ALICE, BOB, claim.deed);

        bytes memory problem =
            abi.encodeWithSelector(ITitleDeed.NotHolder.selector, claim.deed, ALICE);
        vm.expectRevert(problem);
        vm.prank(ALICE);
        deeds.withdrawDeed(claim.deed);
        vm.expectRevert(problem);
        vm.prank(ALICE);
        deeds.supersede(bytes32(claim.deed), LEAF);
        vm.expectRevert(problem);
        vm.prank(ALICE);
        deeds.recordEvent(bytes32(claim.deed), KIND, DIGEST);

        vm.prank(BOB);
        deeds.withdrawDeed(claim.deed);
        (,,,, bool isWithdrawn,) = deeds.deedOf(claim.deed);
        require(isWithdrawn, "the new holder can");
    }

    function test_whoever_may_sell_a_deed_may_not_act_for_it() public {
        Claim memory claim = _issued(ALICE, CONTENT);
        vm.prank(ALICE);
        deeds.setApprovalForAll(BOB, true);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.NotHolder.selector, claim.deed, BOB));
        vm.prank(BOB);
        deeds.withdrawDeed(claim.deed);
    }

    /// @dev Calls as Alice and compares one log: topics, the data before sequence and head, and the
    /// running hash.
    function _expect(
        bytes memory call,
        bytes32[4] memory topics,
        bytes memory data,
        bytes32 eventHash
    ) private {
        (uint64 before, bytes20 last) = deeds.head();
        bytes20 expected = _next(last, before + 1, eventHash);
        vm.recordLogs();
        vm.prank(ALICE);
        (bool done,) = address(deeds).call(call);
        require(done, "refused");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs.length == 1, "one event");
        for (uint256 i = 0; i < logs[0].topics.length; ++i) {
            require(logs[0].topics[i] == topics[i], "topic");
        }
        bytes32 all = keccak256(abi.encodePacked(data, abi.encode(before + 1, expected)));
        require(keccak256(logs[0].data) == all, "data");
        (uint64 sequence, bytes20 runningHash) = deeds.head();
        require(sequence == before + 1 && runningHash == expected, "head");
    }

    function _next(bytes20 last, uint64 sequence, bytes32 eventHash)
        private
        view
        returns (bytes20)
    {
        return bytes20(keccak256(abi.encode(last, sequence, block.timestamp, eventHash)));
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
