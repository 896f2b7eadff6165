// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {deploy} from "./Fixture.sol";
import {Registry} from "./Registry.sol";
import {vm} from "./Vm.sol";

/// @dev Golden vectors that `scripts/build_vectors.py` writes from the Python side.
contract MerkleTest {
    Registry private deeds;
    string private vectors;

    function setUp() public {
        deeds = deploy("");
        vectors = vm.readFile("../tests/conformance/vectors/leaves.json");
    }

    function test_leafOf_agrees_with_the_vectors() public view {
        uint256 count = vm.parseJsonUint(vectors, ".leafCount");
        require(count != 0, "no vectors");
        for (uint256 i = 0; i < count; ++i) {
            string memory key = string.concat(".leaves[", vm.toString(i), "]");
            bytes32 leaf = deeds.leafOf(
                vm.parseJsonAddress(vectors, string.concat(key, ".claimant")),
                vm.parseJsonBytes32(vectors, string.concat(key, ".contentDigest")),
                vm.parseJsonBytes32(vectors, string.concat(key, ".contentSalt")),
                vm.parseJsonBytes32(vectors, string.concat(key, ".recordPart"))
            );
            require(leaf == vm.parseJsonBytes32(vectors, string.concat(key, ".leaf")), key);
        }
    }

    function test_deedIdOf_agrees_with_the_vectors() public view {
        uint256 count = vm.parseJsonUint(vectors, ".leafCount");
        for (uint256 i = 0; i < count; ++i) {
            string memory key = string.concat(".leaves[", vm.toString(i), "]");
            uint256 deed = deeds.deedIdOf(
                vm.parseJsonAddress(vectors, string.concat(key, ".claimant")),
                vm.parseJsonBytes32(vectors, string.concat(key, ".contentDigest"))
            );
            bytes32 expected = vm.parseJsonBytes32(vectors, string.concat(key, ".deed"));
            require(bytes32(deed) == expected, key);
        }
    }

    function test_rootOf_agrees_with_the_vectors() public view {
        uint256 count = vm.parseJsonUint(vectors, ".treeCount");
        require(count != 0, "no vectors");
        for (uint256 i = 0; i < count; ++i) {
            _checkTree(string.concat(".trees[", vm.toString(i), "]"));
        }
    }

    function testFuzz_rootOf_changes_with_every_input(uint256 pick, uint8 bit) public view {
        string memory key = ".trees[5]";
        bytes32 root = vm.parseJsonBytes32(vectors, string.concat(key, ".root"));
        bytes32[] memory leaves = vm.parseJsonBytes32Array(vectors, string.concat(key, ".leaves"));
        uint256 index = pick % leaves.length;
        bytes32[] memory path = _path(key, index);
        bytes32 flip = bytes32(uint256(1) << bit);

        require(deeds.rootOf(leaves[index] ^ flip, index, leaves.length, path) != root, "leaf");
        for (uint256 i = 0; i < path.length; ++i) {
            path[i] ^= flip;
            require(deeds.rootOf(leaves[index], index, leaves.length, path) != root, "path");
            path[i] ^= flip;
        }
        require(deeds.rootOf(leaves[index], index, leaves.length, path) == root, "unchanged");
    }

    function testFuzz_rootOf_refuses_a_path_of_wrong_length(uint256 pick) public {
        string memory key = ".trees[5]";
        bytes32[] memory leaves = vm.parseJsonBytes32Array(vectors, string.concat(key, ".leaves"));
        uint256 index = pick % leaves.length;
        bytes32[] memory path = _path(key, index);
        bytes32[] memory longer = new bytes32[](path.length + 1);
        bytes32[] memory shorter = new bytes32[](path.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = path[i];
        }
        for (uint256 i = 0; i < path.length; ++i) {
            longer[i] = path[i];
        }
        vm.expectRevert(_mismatch(longer.length, index, leaves.length));
        deeds.rootOf(leaves[index], index, leaves.length, longer);
        vm.expectRevert(_mismatch(shorter.length, index, leaves.length));
        deeds.rootOf(leaves[index], index, leaves.length, shorter);
    }

    function testFuzz_rootOf_refuses_an_index_outside(uint256 index, uint32 size) public {
        vm.assume(size != 0 && index >= size);
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.IndexOutOfRange.selector, index, size));
        deeds.rootOf(bytes32(0), index, size, new bytes32[](0));
    }

    function test_rootOf_refuses_an_empty_tree() public {
        vm.expectRevert(abi.encodeWithSelector(ITitleDeed.SizeOutOfRange.selector, 0));
        deeds.rootOf(bytes32(0), 0, 0, new bytes32[](0));
    }

    function _checkTree(string memory key) private view {
        bytes32 root = vm.parseJsonBytes32(vectors, string.concat(key, ".root"));
        bytes32[] memory leaves = vm.parseJsonBytes32Array(vectors, string.concat(key, ".leaves"));
        require(leaves.length == vm.parseJsonUint(vectors, string.concat(key, ".size")), key);
        for (uint256 i = 0; i < leaves.length; ++i) {
            require(deeds.rootOf(leaves[i], i, leaves.length, _path(key, i)) == root, key);
        }
    }

    function _path(string memory key, uint256 index) private view returns (bytes32[] memory) {
        return
            vm.parseJsonBytes32Array(
                vectors, string.concat(key, ".paths[", vm.toString(index), "]")
            );
    }

    function _mismatch(uint256 length, uint256 index, uint256 size)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(ITitleDeed.PathLengthMismatch.selector, length, index, size);
    }
}
