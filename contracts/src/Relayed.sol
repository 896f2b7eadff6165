// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {ITitleDeed} from "./interfaces/ITitleDeed.sol";
import {TypedData} from "./libraries/TypedData.sol";

/// @title Whether an actor signed what somebody else pays for.
abstract contract Relayed is ITitleDeed {
    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (
            hex"0f",
            TypedData.NAME,
            TypedData.VERSION,
            block.chainid,
            address(this),
            0,
            new uint256[](0)
        );
    }

    /// @dev Plain ECDSA first, because an EIP-7702 account has code and may know no ERC-1271. The
    /// call to a wallet is static and comes before anything of ours is read or written.
    function _requireSigned(
        address actor,
        bytes32 structHash,
        uint256 deadline,
        bytes calldata signature
    ) internal view {
        // A deadline is a matter of block time.
        // slither-disable-next-line timestamp
        require(block.timestamp <= deadline, DeadlinePassed(deadline));
        bytes32 digest = MessageHashUtils.toTypedDataHash(TypedData.domainSeparator(), structHash);
        // The third value tells more of an error that ends in the same refusal.
        // slither-disable-next-line unused-return
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && signer == actor) return;
        require(
            SignatureChecker.isValidERC1271SignatureNowCalldata(actor, digest, signature),
            SignatureInvalid(actor)
        );
    }
}
