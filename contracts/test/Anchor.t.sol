// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Fixture} from "./Fixture.sol";
import {Vm, vm} from "./Vm.sol";

contract AnchorTest is Fixture {
    bytes32 private constant ROOT = keccak256("root");

    function test_anchor_keeps_time_and_sequence() public {
        _anchor(ALICE, ROOT, 3);
        (uint64 timestamp, uint64 sequence) = deeds.anchorOf(ROOT, ALICE);
        require(timestamp == NOW && sequence == 1, "anchor");
    }

    function test_anchor_tells_all_in_its_event() public {
        vm.recordLogs();
        _anchor(ALICE, ROOT, 3);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs.length == 1 && logs[0].emitter == address(deeds), "logs");
        require(logs[0].topics[0] == ITitleDeed.Anchored.selector, "kind");
        require(logs[0].topics[1] == ROOT, "root");
        require(logs[0].topics[2] == bytes32(uint256(uint160(ALICE))), "caller");
        (uint64 size, uint64 sequence, bytes20 runningHash) =
            abi.decode(logs[0].data, (uint64, uint64, bytes20));
        (uint64 last, bytes20 lastHash) = deeds.head();
        require(sequence == 1 && size == 3 && last == 1, "numbers");
        require(runningHash == lastHash && lastHash != 0, "head");
    }

    function test_anchor_again_changes_nothing() public {
        _anchor(ALICE, ROOT, 3);
        (, bytes20 before) = deeds.head();
        vm.warp(NOW + 999);
        vm.recordLogs();
        _anchor(ALICE, ROOT, 4);
        require(vm.getRecordedLogs().length == 0, "silent");
        (uint64 timestamp, uint64 sequence) = deeds.anchorOf(ROOT, ALICE);
        (uint64 last, bytes20 lastHash) = deeds.head();
        require(timestamp == NOW && sequence == 1, "first stands");
        require(last == 1 && lastHash == before, "head stands");
    }

    function test_anchor_by_two_callers_stands_twice() public {
        _anchor(ALICE, ROOT, 3);
        vm.warp(NOW + 12);
        _anchor(BOB, ROOT, 3);
        (uint64 timeAlice, uint64 sequenceAlice) = deeds.anchorOf(ROOT, ALICE);
        (uint64 timeBob, uint64 sequenceBob) = deeds.anchorOf(ROOT, BOB);
        require(timeAlice == NOW && sequenceAlice == 1, "alice");
        require(timeBob == NOW + 12 && sequenceBob == 2, "bob");
    }

    function test_anchorOf_unknown_root_is_zero() public view {
        (uint64 timestamp, uint64 sequence) = deeds.anchorOf(ROOT, ALICE);
        require(timestamp == 0 && sequence == 0, "nothing");
    }

    function test_anchor_size_zero_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.SizeOutOfRange.selector, 0));
        deeds.anchor(ROOT, 0);
    }

    function test_anchor_accepts_the_largest_tree_and_no_larger() public {
        _anchor(ALICE, ROOT, 2 ** 32);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.SizeOutOfRange.selector, 2 ** 32 + 1));
        deeds.anchor(ROOT, 2 ** 32 + 1);
    }

    function testFuzz_head_is_recomputed_from_events(bytes32[5] calldata roots, uint32 size)
        public
    {
        bytes20 expected = 0;
        uint64 sequence = 0;
        for (uint256 i = 0; i < roots.length; ++i) {
            vm.warp(NOW + i);
            (, uint64 known) = deeds.anchorOf(roots[i], ALICE);
            uint256 leaves = uint256(size) + 1;
            _anchor(ALICE, roots[i], leaves);
            if (known != 0) continue;
            bytes32 eventHash =
                keccak256(abi.encode(ITitleDeed.Anchored.selector, roots[i], ALICE, leaves));
            expected = bytes20(keccak256(abi.encode(expected, ++sequence, NOW + i, eventHash)));
        }
        (uint64 last, bytes20 runningHash) = deeds.head();
        require(last == sequence && runningHash == expected, "head");
    }

    function _anchor(address caller, bytes32 root, uint256 size) private {
        vm.prank(caller);
        deeds.anchor(root, size);
    }
}
