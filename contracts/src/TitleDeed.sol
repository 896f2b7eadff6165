// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Bindings} from "./Bindings.sol";
import {ITitleDeed} from "./interfaces/ITitleDeed.sol";
import {Deed, packDeed} from "./libraries/Deed.sol";
import {Entry} from "./libraries/Entry.sol";
import {Leaf} from "./libraries/Leaf.sol";
import {Merkle} from "./libraries/Merkle.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {Log} from "./Log.sol";
import {Relayed} from "./Relayed.sol";

/// @title The core registry; {ITitleDeed} documents it.
/// @dev No immutables: the runtime code is the same bytes on every chain and for every base URI.
contract TitleDeed is Log, Relayed, Bindings, ERC721 {
    uint256 private constant BASIS_POINTS = 10_000;
    uint256 private constant PARENTS_MAX = 16;

    string private _base;
    mapping(uint256 id => Deed deed) private _deeds;

    /// @param baseURI What stands before the token id in {tokenURI}; empty: no token has a URI.
    constructor(string memory baseURI) ERC721("Titledeed", "DEED") {
        _base = baseURI;
    }

    /// @inheritdoc ITitleDeed
    function anchor(bytes32 root, uint256 size) external {
        _anchor(root, size, msg.sender);
    }

    /// @inheritdoc ITitleDeed
    function anchorFor(
        bytes32 root,
        uint256 size,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _requireSigned(actor, TypedData.anchor(actor, root, size, deadline), deadline, signature);
        _anchor(root, size, actor);
    }

    /// @inheritdoc ITitleDeed
    function issue(
        Opening calldata opening,
        Inclusion calldata inclusion,
        uint16 royalty,
        uint256[] calldata parents
    ) external {
        require(msg.sender == opening.claimant, NotClaimant(opening.claimant, msg.sender));
        _issue(opening, _leafOf(opening), inclusion, royalty, parents);
    }

    /// @inheritdoc ITitleDeed
    function issueFor(
        Opening calldata opening,
        Inclusion calldata inclusion,
        uint16 royalty,
        uint256[] calldata parents,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes32 leaf = _leafOf(opening);
        bytes32 structHash = TypedData.issue(
            opening.claimant, leaf, inclusion.root, inclusion.anchoredBy, royalty, parents, deadline
        );
        _requireSigned(opening.claimant, structHash, deadline, signature);
        _issue(opening, leaf, inclusion, royalty, parents);
    }

    /// @inheritdoc ITitleDeed
    function withdraw(bytes32 leaf) external {
        _logWithdrawn(leaf, msg.sender, false);
    }

    /// @inheritdoc ITitleDeed
    function withdrawFor(bytes32 leaf, address actor, uint256 deadline, bytes calldata signature)
        external
    {
        _requireSigned(actor, TypedData.withdraw(actor, leaf, deadline), deadline, signature);
        _logWithdrawn(leaf, actor, false);
    }

    /// @inheritdoc ITitleDeed
    function withdrawDeed(uint256 deed) external {
        _withdrawDeed(deed, msg.sender);
    }

    /// @inheritdoc ITitleDeed
    function withdrawDeedFor(
        uint256 deed,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _requireSigned(actor, TypedData.withdrawDeed(actor, deed, deadline), deadline, signature);
        _withdrawDeed(deed, actor);
    }

    /// @inheritdoc ITitleDeed
    function supersede(bytes32 subject, bytes32 successor) external {
        _supersede(subject, successor, msg.sender);
    }

    /// @inheritdoc ITitleDeed
    function supersedeFor(
        bytes32 subject,
        bytes32 successor,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes32 structHash = TypedData.supersede(actor, subject, successor, deadline);
        _requireSigned(actor, structHash, deadline, signature);
        _supersede(subject, successor, actor);
    }

    /// @inheritdoc ITitleDeed
    function recordEvent(bytes32 subject, bytes32 kind, bytes32 digest) external {
        _recordEvent(subject, kind, digest, msg.sender);
    }

    /// @inheritdoc ITitleDeed
    function recordEventFor(
        bytes32 subject,
        bytes32 kind,
        bytes32 digest,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes32 structHash = TypedData.recordEvent(actor, subject, kind, digest, deadline);
        _requireSigned(actor, structHash, deadline, signature);
        _recordEvent(subject, kind, digest, actor);
    }

    /// @inheritdoc ITitleDeed
    function declareKey(address key, address successor, uint64 since) external {
        _declareKey(key, successor, since, msg.sender);
    }

    /// @inheritdoc ITitleDeed
    function declareKeyFor(
        address key,
        address successor,
        uint64 since,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes32 structHash = TypedData.declareKey(actor, key, successor, since, deadline);
        _requireSigned(actor, structHash, deadline, signature);
        _declareKey(key, successor, since, actor);
    }

    /// @inheritdoc ITitleDeed
    function deedOf(uint256 deed)
        external
        view
        returns (
            address claimant,
            uint64 timestamp,
            uint64 sequence,
            uint16 royalty,
            bool isWithdrawn,
            uint16 transfers
        )
    {
        Deed kept = _deeds[deed];
        return (
            kept.claimantOf(),
            kept.anchoredAt(),
            kept.anchorSequenceOf(),
            kept.royaltyOf(),
            kept.isWithdrawn(),
            kept.transfersOf()
        );
    }

    /// @inheritdoc IERC2981
    function royaltyInfo(uint256 deed, uint256 salePrice)
        external
        view
        returns (address receiver, uint256 royaltyAmount)
    {
        Deed kept = _deeds[deed];
        return (kept.claimantOf(), Math.mulDiv(salePrice, kept.royaltyOf(), BASIS_POINTS));
    }

    /// @inheritdoc ITitleDeed
    function deedIdOf(address claimant, bytes32 contentDigest)
        external
        pure
        returns (uint256 deed)
    {
        return Leaf.deedId(claimant, contentDigest);
    }

    /// @inheritdoc ITitleDeed
    function leafOf(
        address claimant,
        bytes32 contentDigest,
        bytes32 contentSalt,
        bytes32 recordPart
    ) external pure returns (bytes32 leaf) {
        return Leaf.hash(claimant, Leaf.commitContent(contentDigest, contentSalt), recordPart);
    }

    /// @inheritdoc ITitleDeed
    function rootOf(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        external
        pure
        returns (bytes32 root)
    {
        return Merkle.rootOf(leaf, index, size, path);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(ERC721, IERC165)
        returns (bool)
    {
        return interfaceId == type(IERC2981).interfaceId || super.supportsInterface(interfaceId);
    }

    function _anchor(bytes32 root, uint256 size, address actor) private {
        Merkle.requireSize(size);
        mapping(address caller => Entry entry) storage anchors = _anchors[root];
        if (anchors[actor].sequenceOf() != 0) return;

        Entry entry = _append(keccak256(abi.encode(Anchored.selector, root, actor, size)));
        anchors[actor] = entry;
        emit Anchored(root, actor, uint64(size), entry.sequenceOf(), entry.headOf());
    }

    function _issue(
        Opening calldata opening,
        bytes32 leaf,
        Inclusion calldata inclusion,
        uint16 royalty,
        uint256[] calldata parents
    ) private {
        require(royalty <= BASIS_POINTS, RoyaltyOutOfRange(royalty));
        Entry anchored = _requireAnchored(leaf, inclusion);
        uint256 deed = Leaf.deedId(opening.claimant, opening.contentDigest);
        require(!_deeds[deed].isIssued(), DeedExists(deed));
        _requireParents(parents);

        _deeds[deed] =
            packDeed(opening.claimant, anchored.timestampOf(), anchored.sequenceOf(), royalty);
        _mint(opening.claimant, deed);
        _logIssued(deed, leaf, opening, inclusion, royalty, parents);
    }

    function _withdrawDeed(uint256 deed, address actor) private {
        require(_isHeld(deed, actor), NotIssued(deed));
        Deed kept = _deeds[deed];
        if (kept.isWithdrawn()) return;

        _deeds[deed] = kept.withdrawn();
        _logWithdrawn(bytes32(deed), actor, true);
    }

    function _supersede(bytes32 subject, bytes32 successor, address actor) private {
        bool byHolder = _isHeld(uint256(subject), actor);
        Entry entry = _append(
            keccak256(abi.encode(Superseded.selector, subject, actor, successor, byHolder))
        );
        emit Superseded(subject, actor, successor, byHolder, entry.sequenceOf(), entry.headOf());
    }

    function _recordEvent(bytes32 subject, bytes32 kind, bytes32 digest, address actor) private {
        bool byHolder = _isHeld(uint256(subject), actor);
        Entry entry = _append(
            keccak256(abi.encode(EventRecorded.selector, subject, actor, kind, digest, byHolder))
        );
        emit EventRecorded(
            subject, actor, kind, digest, byHolder, entry.sequenceOf(), entry.headOf()
        );
    }

    function _declareKey(address key, address successor, uint64 since, address actor) private {
        Entry entry =
            _append(keccak256(abi.encode(KeyDeclared.selector, key, actor, successor, since)));
        emit KeyDeclared(key, actor, successor, since, entry.sequenceOf(), entry.headOf());
    }

    function _logWithdrawn(bytes32 subject, address actor, bool byHolder) private {
        Entry entry = _append(keccak256(abi.encode(Withdrawn.selector, subject, actor, byHolder)));
        emit Withdrawn(subject, actor, byHolder, entry.sequenceOf(), entry.headOf());
    }

    function _logIssued(
        uint256 deed,
        bytes32 leaf,
        Opening calldata opening,
        Inclusion calldata inclusion,
        uint16 royalty,
        uint256[] calldata parents
    ) private {
        bytes32 eventHash = keccak256(
            abi.encode(
                Issued.selector,
                deed,
                leaf,
                opening.claimant,
                opening.contentDigest,
                inclusion.root,
                inclusion.anchoredBy,
                royalty,
                parents
            )
        );
        Entry entry = _append(eventHash);
        emit Issued(
            deed,
            leaf,
            opening.claimant,
            opening.contentDigest,
            inclusion.root,
            inclusion.anchoredBy,
            royalty,
            parents,
            entry.sequenceOf(),
            entry.headOf()
        );
    }

    /// @dev Whether the subject is an issued deed; then the actor must hold it.
    function _isHeld(uint256 subject, address actor) private view returns (bool) {
        address holder = _ownerOf(subject);
        if (holder == address(0)) return false;
        require(holder == actor, NotHolder(subject, actor));
        return true;
    }

    function _requireAnchored(bytes32 leaf, Inclusion calldata inclusion)
        private
        view
        returns (Entry anchored)
    {
        bytes32 root = Merkle.rootOf(leaf, inclusion.index, inclusion.size, inclusion.path);
        require(root == inclusion.root, RootMismatch(inclusion.root, root));
        anchored = _anchors[root][inclusion.anchoredBy];
        require(anchored.sequenceOf() != 0, NotAnchored(root, inclusion.anchoredBy));
    }

    /// @dev Issued before their child, parents form no cycle; ascending, none comes twice.
    function _requireParents(uint256[] calldata parents) private view {
        require(parents.length <= PARENTS_MAX, TooManyParents(parents.length));
        uint256 before = 0;
        for (uint256 i = 0; i < parents.length; ++i) {
            uint256 parent = parents[i];
            require(before < parent, ParentsNotAscending(before, parent));
            require(_deeds[parent].isIssued(), NotIssued(parent));
            before = parent;
        }
    }

    /// @dev Of {ERC721}: every transfer passes here, before a receiver is called. A mint is none.
    function _update(address to, uint256 deed, address auth)
        internal
        override
        returns (address from)
    {
        from = super._update(to, deed, auth);
        if (from != address(0)) _deeds[deed] = _deeds[deed].transferred();
    }

    /// @dev Of {ERC721}.
    function _baseURI() internal view override returns (string memory) {
        return _base;
    }

    function _leafOf(Opening calldata opening) private pure returns (bytes32) {
        bytes32 contentPart = Leaf.commitContent(opening.contentDigest, opening.contentSalt);
        return Leaf.hash(opening.claimant, contentPart, opening.recordPart);
    }
}
