// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";

/// @dev All that the contract offers. Tests know no more, so they compile without it and without
/// the optimizer.
interface Registry is ITitleDeed, IERC721Metadata {}
