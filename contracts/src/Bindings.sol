// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

import {IC2PASoftBindingResolution} from "./interfaces/IC2PASoftBindingResolution.sol";
import {ITitleDeed} from "./interfaces/ITitleDeed.sol";
import {Entry} from "./libraries/Entry.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {Log} from "./Log.sol";
import {Relayed} from "./Relayed.sol";

/// @title Where soft bindings lead, for any C2PA validator.
abstract contract Bindings is Log, Relayed {
    /// @dev Topic 0 is the event, so the hash of the binding is topic 1.
    string private constant BEFORE_ADDRESS =
        '[{"resolutionMethod":"eventLog","queryEventLog":{"smartContractAddress":"';
    string private constant AFTER_ADDRESS =
        '","keyTopic":"topic1","byBindingOutputSchema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"endpoints":{"type":"array","items":{"type":"string","format":"uri"},"description":"One URI: endpoint of BindingPublished(bytes32 indexed bindingHash, address indexed actor, string endpoint, string manifestId, uint64 sequence, bytes20 head), whose topic1 is the Keccak-256 of the bytes of the soft binding value. Anybody can publish: validate what is found there."},"manifestId":{"type":"string","description":"manifestId of the same event; absent where it is empty."}},"required":["endpoints"],"additionalProperties":false}}}]';

    /// @inheritdoc ITitleDeed
    function publishBinding(
        bytes32 bindingHash,
        string calldata endpoint,
        string calldata manifestId
    ) external {
        _publishBinding(bindingHash, endpoint, manifestId, msg.sender);
    }

    /// @inheritdoc ITitleDeed
    function publishBindingFor(
        bytes32 bindingHash,
        string calldata endpoint,
        string calldata manifestId,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes32 structHash = TypedData.publishBinding(
            actor, bindingHash, endpoint, manifestId, deadline
        );
        _requireSigned(actor, structHash, deadline, signature);
        _publishBinding(bindingHash, endpoint, manifestId, actor);
    }

    /// @inheritdoc IC2PASoftBindingResolution
    function describe() external view returns (string memory description) {
        string memory ours = Strings.toChecksumHexString(address(this));
        return string.concat(BEFORE_ADDRESS, ours, AFTER_ADDRESS);
    }

    function _publishBinding(
        bytes32 bindingHash,
        string calldata endpoint,
        string calldata manifestId,
        address actor
    ) private {
        Entry entry = _append(
            keccak256(
                abi.encode(BindingPublished.selector, bindingHash, actor, endpoint, manifestId)
            )
        );
        emit BindingPublished(
            bindingHash, actor, endpoint, manifestId, entry.sequenceOf(), entry.headOf()
        );
    }
}
