// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How a C2PA validator finds manifests through a chain (C2PA 2.4, Soft Binding API, section 2).
interface IC2PASoftBindingResolution {
    /// @notice Where the lookup by soft binding is and how to read it.
    /// @return description A JSON array (https://c2pa.org/schemas/decentralized-lookup.schema.json).
    function describe() external view returns (string memory description);
}
