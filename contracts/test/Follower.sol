// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Vm} from "./Vm.sol";

/// @dev Recomputes the running hash from logs alone, as a client does.
abstract contract Follower {
    uint64 public sequence;
    bytes20 public runningHash;
    uint256 public issued;
    uint256 public minted;
    uint256 internal _lastTime;

    function _follow(Vm.Log[] memory logs) internal {
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 kind = logs[i].topics[0];
            if (kind == IERC721.Transfer.selector) {
                if (logs[i].topics[1] == 0) ++minted;
            } else if (kind != IERC721.ApprovalForAll.selector) {
                if (kind == ITitleDeed.Issued.selector) ++issued;
                (bytes32 eventHash, uint256 fixedWords) = _read(logs[i]);
                _take(eventHash, logs[i].data, fixedWords);
            }
        }
    }

    /// @dev Sequence and head stand behind the event's own words.
    function _take(bytes32 eventHash, bytes memory data, uint256 words) private {
        bytes memory tail = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            tail[i] = data[32 * words + i];
        }
        (uint64 number, bytes20 told) = abi.decode(tail, (uint64, bytes20));
        require(number == sequence + 1, "gap");
        require(block.timestamp >= _lastTime, "time moved back");
        runningHash =
            bytes20(keccak256(abi.encode(runningHash, number, block.timestamp, eventHash)));
        require(runningHash == told, "another head");
        (sequence, _lastTime) = (number, block.timestamp);
    }

    function _read(Vm.Log memory log) private pure returns (bytes32 eventHash, uint256 words) {
        bytes32[] memory t = log.topics;
        if (t[0] == ITitleDeed.Anchored.selector) {
            uint64 size = abi.decode(log.data, (uint64));
            return (keccak256(abi.encode(t[0], t[1], t[2], size)), 1);
        }
        if (t[0] == ITitleDeed.Withdrawn.selector) {
            bool byHolder = abi.decode(log.data, (bool));
            return (keccak256(abi.encode(t[0], t[1], t[2], byHolder)), 1);
        }
        if (t[0] == ITitleDeed.Superseded.selector || t[0] == ITitleDeed.KeyDeclared.selector) {
            uint256 value = abi.decode(log.data, (uint256));
            return (keccak256(abi.encode(t[0], t[1], t[2], t[3], value)), 1);
        }
        if (t[0] == ITitleDeed.EventRecorded.selector) {
            (bytes32 digest, bool byHolder) = abi.decode(log.data, (bytes32, bool));
            return (keccak256(abi.encode(t[0], t[1], t[2], t[3], digest, byHolder)), 2);
        }
        if (t[0] == ITitleDeed.BindingPublished.selector) {
            (string memory endpoint, string memory manifest) =
                abi.decode(log.data, (string, string));
            return (keccak256(abi.encode(t[0], t[1], t[2], endpoint, manifest)), 2);
        }
        require(t[0] == ITitleDeed.Issued.selector, "unknown event");
        (bytes32 content, bytes32 root, address by, uint16 royalty, uint256[] memory parents) =
            abi.decode(log.data, (bytes32, bytes32, address, uint16, uint256[]));
        return
            (keccak256(abi.encode(t[0], t[1], t[2], t[3], content, root, by, royalty, parents)), 5);
    }
}
