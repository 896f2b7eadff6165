// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Registry} from "./Registry.sol";

/// @dev A wallet that accepts what its owner signed.
contract Wallet is IERC1271 {
    address public owner;

    constructor(address first) {
        owner = first;
    }

    function changeOwner(address next) external {
        owner = next;
    }

    function isValidSignature(bytes32 digest, bytes memory signature)
        external
        view
        virtual
        returns (bytes4)
    {
        bool isOwner = ECDSA.recover(digest, signature) == owner;
        return isOwner ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

contract WrongMagicWallet is IERC1271 {
    function isValidSignature(bytes32, bytes memory) external pure returns (bytes4) {
        return 0x20c13b0b;
    }
}

contract RevertingWallet is IERC1271 {
    function isValidSignature(bytes32, bytes memory) external pure returns (bytes4) {
        revert("no");
    }
}

/// @dev Answers every call with the magic value alone, which is shorter than a word.
contract ShortAnswerWallet {
    fallback(bytes calldata) external returns (bytes memory) {
        return hex"1626ba7e";
    }
}

/// @dev Accepts everything, and tries to anchor in its own name meanwhile: the call that asks it is
/// static and must stop that.
contract ReenteringWallet {
    Registry private immutable DEEDS;

    constructor(Registry target) {
        DEEDS = target;
    }

    function isValidSignature(bytes32 digest, bytes memory) external returns (bytes4) {
        (bool done,) = address(DEEDS).call(abi.encodeCall(ITitleDeed.anchor, (digest, 1)));
        require(!done, "re-entered");
        return IERC1271.isValidSignature.selector;
    }
}

/// @dev Acts at once when a deed reaches it.
contract EagerReceiver is IERC721Receiver {
    Registry private immutable DEEDS;
    uint256 public calls;

    constructor(Registry target) {
        DEEDS = target;
    }

    function issue(ITitleDeed.Opening calldata opening, ITitleDeed.Inclusion calldata inclusion)
        external
    {
        DEEDS.issue(opening, inclusion, 0, new uint256[](0));
    }

    function onERC721Received(address, address, uint256 deed, bytes calldata)
        external
        returns (bytes4)
    {
        ++calls;
        DEEDS.withdrawDeed(deed);
        DEEDS.transferFrom(address(this), address(0xdead), deed);
        return IERC721Receiver.onERC721Received.selector;
    }
}
