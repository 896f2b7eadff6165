// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {IC2PASoftBindingResolution} from "./IC2PASoftBindingResolution.sol";

/// @title A registry of claims on media and of their order in time.
/// @notice It records who claimed what and when; it never decides who is right. No owner, no
/// proxy, no pause: what is written stays, and nobody can change the rules.
///
/// A *leaf* is a salted commitment to one claim. A *deed* (ERC-721) is a claim whose content part
/// was opened; its id is `uint256(keccak256(abi.encode(keccak256("titledeed.deed.v1"), claimant,
/// contentDigest)))`. A *subject* is a leaf, or a deed id as bytes32.
///
/// Every act can be relayed: `...For` takes the same arguments and the actor's signature (EIP-712,
/// domain `Titledeed`, version `1`; ERC-1271 for contracts), so the actor needs no ether. There
/// are no nonces. A repeated anchor or withdrawal of a deed finds its own entry and returns
/// silently; a second issue of a deed is refused. Until its deadline anybody can have the other acts
/// logged once more: readers count entries that are equal in all but sequence and head once, where
/// the first of them stands.
interface ITitleDeed is IERC2981, IERC5267, IC2PASoftBindingResolution {
    /// @notice The parts of a leaf: the content part opened, the record part closed.
    /// @param claimant Who claims; the deed is minted to this account.
    /// @param contentDigest SHA-256 of the media before signing.
    /// @param contentSalt The salt that hid the digest.
    /// @param recordPart The commitment to the rest of the record.
    struct Opening {
        address claimant;
        bytes32 contentDigest;
        bytes32 contentSalt;
        bytes32 recordPart;
    }

    /// @notice Where a leaf stands under an anchored root.
    /// @param root The root, with the number of leaves bound into it.
    /// @param anchoredBy Who anchored it.
    /// @param index The leaf's position, from 0.
    /// @param size The number of leaves.
    /// @param path The audit path, bottom first (RFC 9162 section 2.1.3).
    struct Inclusion {
        bytes32 root;
        address anchoredBy;
        uint256 index;
        uint256 size;
        bytes32[] path;
    }

    /// @notice The number of leaves is outside 1 to 2^32.
    /// @param size The number given.
    error SizeOutOfRange(uint256 size);

    /// @notice A leaf with this index cannot stand in a tree of this size.
    /// @param index The index given, from 0.
    /// @param size The size given.
    error IndexOutOfRange(uint256 index, uint256 size);

    /// @notice A path of this length cannot lead from this leaf to the root.
    /// @param length The number of nodes given.
    /// @param index The index given.
    /// @param size The size given.
    error PathLengthMismatch(uint256 length, uint256 index, uint256 size);

    /// @notice The leaf and its path lead to another root than the one given.
    /// @param root The root given.
    /// @param found Where they lead.
    error RootMismatch(bytes32 root, bytes32 found);

    /// @notice This account never anchored this root.
    /// @param root The root given.
    /// @param anchoredBy The account given.
    error NotAnchored(bytes32 root, address anchoredBy);

    /// @notice Only the claimant can have a deed issued.
    /// @param claimant Whom the leaf names.
    /// @param caller Who called.
    error NotClaimant(address claimant, address caller);

    /// @notice The deed was issued before; its terms and its date stay.
    /// @param deed The deed.
    error DeedExists(uint256 deed);

    /// @notice No such deed was issued.
    /// @param deed The id given, of the deed or of a parent.
    error NotIssued(uint256 deed);

    /// @notice After issue only the holder of the deed can do this.
    /// @param deed The deed.
    /// @param actor Who tried.
    error NotHolder(uint256 deed, address actor);

    /// @notice A royalty is at most 10,000 basis points.
    /// @param royalty The number given.
    error RoyaltyOutOfRange(uint256 royalty);

    /// @notice A deed has at most 16 parents.
    /// @param count The number given.
    error TooManyParents(uint256 count);

    /// @notice Parents are given in ascending order, each once.
    /// @param before The parent given.
    /// @param next The one after it, equal or smaller.
    error ParentsNotAscending(uint256 before, uint256 next);

    /// @notice The block is later than the signature allows.
    /// @param deadline Seconds since 1970.
    error DeadlinePassed(uint256 deadline);

    /// @notice The actor did not sign this act for this contract on this chain.
    /// @param actor Who should have signed.
    error SignatureInvalid(address actor);

    /// @notice A Merkle root was anchored.
    /// @param root Commits to the leaves and to their number.
    /// @param caller Who anchored, and claims nothing by it.
    /// @param size The number of leaves that the caller states; a proof holds only for the number
    /// bound into the root.
    /// @param sequence Position among the contract's own events, from 1 without a gap.
    /// @param head The running hash after this event; see {ITitleDeed-head}.
    event Anchored(
        bytes32 indexed root, address indexed caller, uint64 size, uint64 sequence, bytes20 head
    );

    /// @notice A leaf was opened and its deed minted to the claimant.
    /// @param deed The token id.
    /// @param leaf The leaf.
    /// @param claimant Who claims.
    /// @param contentDigest SHA-256 of the media before signing.
    /// @param root The anchored root that holds the leaf.
    /// @param anchoredBy Who anchored it; the deed is dated by this anchor.
    /// @param royalty Basis points.
    /// @param parents Deeds that the claimant names. A parent is claimed, not agreed, until its
    /// holder confirms by an event of the parent.
    /// @param sequence See {Anchored}.
    /// @param head See {Anchored}.
    event Issued(
        uint256 indexed deed,
        bytes32 indexed leaf,
        address indexed claimant,
        bytes32 contentDigest,
        bytes32 root,
        address anchoredBy,
        uint16 royalty,
        uint256[] parents,
        uint64 sequence,
        bytes20 head
    );

    /// @notice An account withdrew a claim.
    /// @dev With `byHolder` false it counts only if the leaf opens to this actor, and not after
    /// the issue of its deed. It says nothing about a deed, even where the subject is its id.
    /// @param subject The leaf, or the deed.
    /// @param actor Who withdrew.
    /// @param byHolder Whether the contract saw that the actor holds the deed.
    /// @param sequence See {Anchored}.
    /// @param head See {Anchored}.
    event Withdrawn(
        bytes32 indexed subject, address indexed actor, bool byHolder, uint64 sequence, bytes20 head
    );

    /// @notice An account named a successor of a claim.
    /// @param subject The leaf, or the deed.
    /// @param actor Who named it.
    /// @param successor Another leaf or deed.
    /// @param byHolder Whether the contract saw that the actor holds the deed.
    /// @param sequence See {Anchored}.
    /// @param head See {Anchored}.
    event Superseded(
        bytes32 indexed subject,
        address indexed actor,
        bytes32 indexed successor,
        bool byHolder,
        uint64 sequence,
        bytes20 head
    );

    /// @notice An account said that something happened to a work.
    /// @param subject The leaf, or the deed.
    /// @param actor Who said it.
    /// @param kind Keccak-256 of a word, such as `published`.
    /// @param digest SHA-256 of a document that tells more, or zero.
    /// @param byHolder Whether the contract saw that the actor holds the deed.
    /// @param sequence See {Anchored}.
    /// @param head See {Anchored}.
    event EventRecorded(
        bytes32 indexed subject,
        address indexed actor,
        bytes32 indexed kind,
        bytes32 digest,
        bool byHolder,
        uint64 sequence,
        bytes20 head
    );

    /// @notice An account said what became of a key.
    /// @dev It counts only if the actor is the key, or the recovery key that a Claim by the key names.
    /// @param key The key.
    /// @param actor Who said it.
    /// @param successor Who acts instead; zero if the key is compromised.
    /// @param since From when on, in seconds since 1970, by the actor's own clock.
    /// @param sequence See {Anchored}.
    /// @param head See {Anchored}.
    event KeyDeclared(
        address indexed key,
        address indexed actor,
        address indexed successor,
        uint64 since,
        uint64 sequence,
        bytes20 head
    );

    /// @notice An account published where a soft binding leads; see {describe}.
    /// @param bindingHash Keccak-256 of the soft binding's value (its bytes, not their base64).
    /// @param actor Who published it.
    /// @param endpoint URI of a Soft Binding Resolution API.
    /// @param manifestId The C2PA manifest; may be empty.
    /// @param sequence See {Anchored}.
    /// @param head See {Anchored}.
    event BindingPublished(
        bytes32 indexed bindingHash,
        address indexed actor,
        string endpoint,
        string manifestId,
        uint64 sequence,
        bytes20 head
    );

    /// @notice Anchors a Merkle root in the name of the caller.
    /// @dev The root commits to claims that name their claimants, so copying somebody's root gains
    /// nothing. A root that the caller anchored before keeps its first time and emits nothing; the
    /// same root by two callers stands twice.
    /// @param root The root, with the number of leaves bound into it.
    /// @param size The number of leaves, 1 to 2^32.
    function anchor(bytes32 root, uint256 size) external;

    /// @notice {anchor}, relayed; the anchor stands under the actor.
    /// @param root See {anchor}.
    /// @param size See {anchor}.
    /// @param actor Who signed `Anchor`.
    /// @param deadline The last second, since 1970, in which a block may hold the act.
    /// @param signature By the actor.
    function anchorFor(
        bytes32 root,
        uint256 size,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Opens the content part of the caller's leaf and mints its deed: one per claimant and
    /// content, dated by its anchor. Deeds of different claimants on one content coexist.
    /// @dev A deed is issued once: again it reverts with {DeedExists}, also with the same arguments, so
    /// that nobody takes terms that stand for those that he sent. A receiver is never called. The
    /// contract does not know withdrawn leaves (that would cost a storage slot
    /// each): a withdrawal before the issue stands before it in the log and stays in force.
    /// @param opening The leaf.
    /// @param inclusion Where it stands.
    /// @param royalty Basis points, 0 to 10,000 (ERC-2981; advice to markets, enforced by nobody).
    /// @param parents At most 16 issued deeds, ascending. A deed cannot be its own ancestor, because
    /// its parents were issued before it.
    function issue(
        Opening calldata opening,
        Inclusion calldata inclusion,
        uint16 royalty,
        uint256[] calldata parents
    ) external;

    /// @notice {issue}, relayed; signed by the claimant of the opening.
    /// @param opening See {issue}.
    /// @param inclusion See {issue}.
    /// @param royalty See {issue}.
    /// @param parents See {issue}.
    /// @param deadline See {anchorFor}.
    /// @param signature `Issue` by the claimant. It binds the anchor: nobody can date the deed by
    /// another one. Of two signatures by the claimant the one that comes first fixes the terms, so
    /// until its deadline an older one can still win.
    function issueFor(
        Opening calldata opening,
        Inclusion calldata inclusion,
        uint16 royalty,
        uint256[] calldata parents,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Withdraws a claim that has no deed. Anybody can log it; see {Withdrawn}.
    /// @param leaf The leaf.
    function withdraw(bytes32 leaf) external;

    /// @notice {withdraw}, relayed.
    /// @param leaf See {withdraw}.
    /// @param actor Who signed `Withdraw`.
    /// @param deadline See {anchorFor}.
    /// @param signature By the actor.
    function withdrawFor(bytes32 leaf, address actor, uint256 deadline, bytes calldata signature)
        external;

    /// @notice Withdraws the claim of a deed, for good; again it returns silently.
    /// @param deed The deed; only its holder can.
    function withdrawDeed(uint256 deed) external;

    /// @notice {withdrawDeed}, relayed.
    /// @param deed See {withdrawDeed}.
    /// @param actor Who signed `WithdrawDeed`.
    /// @param deadline See {anchorFor}.
    /// @param signature By the actor.
    function withdrawDeedFor(
        uint256 deed,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Names the successor of a claim.
    /// @param subject The claim. If it is an issued deed, only its holder can.
    /// @param successor Another leaf or deed.
    function supersede(bytes32 subject, bytes32 successor) external;

    /// @notice {supersede}, relayed.
    /// @param subject See {supersede}.
    /// @param successor See {supersede}.
    /// @param actor Who signed `Supersede`.
    /// @param deadline See {anchorFor}.
    /// @param signature By the actor.
    function supersedeFor(
        bytes32 subject,
        bytes32 successor,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Records what happened to a work.
    /// @param subject The claim. If it is an issued deed, only its holder can; otherwise anybody can,
    /// and readers count it only if the leaf opens to the actor.
    /// @param kind See {EventRecorded}.
    /// @param digest See {EventRecorded}.
    function recordEvent(bytes32 subject, bytes32 kind, bytes32 digest) external;

    /// @notice {recordEvent}, relayed.
    /// @param subject See {recordEvent}.
    /// @param kind See {recordEvent}.
    /// @param digest See {recordEvent}.
    /// @param actor Who signed `RecordEvent`.
    /// @param deadline See {anchorFor}.
    /// @param signature By the actor.
    function recordEventFor(
        bytes32 subject,
        bytes32 kind,
        bytes32 digest,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Says what became of a key. Anybody can log it; see {KeyDeclared}.
    /// @param key The key.
    /// @param successor Who acts instead; zero if the key is compromised.
    /// @param since Seconds since 1970.
    function declareKey(address key, address successor, uint64 since) external;

    /// @notice {declareKey}, relayed.
    /// @param key See {declareKey}.
    /// @param successor See {declareKey}.
    /// @param since See {declareKey}.
    /// @param actor Who signed `DeclareKey`.
    /// @param deadline See {anchorFor}.
    /// @param signature By the actor.
    function declareKeyFor(
        address key,
        address successor,
        uint64 since,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Publishes where a soft binding leads.
    /// @param bindingHash See {BindingPublished}.
    /// @param endpoint See {BindingPublished}.
    /// @param manifestId See {BindingPublished}.
    function publishBinding(
        bytes32 bindingHash,
        string calldata endpoint,
        string calldata manifestId
    ) external;

    /// @notice {publishBinding}, relayed.
    /// @param bindingHash See {publishBinding}.
    /// @param endpoint See {publishBinding}.
    /// @param manifestId See {publishBinding}.
    /// @param actor Who signed `PublishBinding`.
    /// @param deadline See {anchorFor}.
    /// @param signature By the actor.
    function publishBindingFor(
        bytes32 bindingHash,
        string calldata endpoint,
        string calldata manifestId,
        address actor,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice When a caller anchored a root.
    /// @param root The root.
    /// @param caller Who anchored it.
    /// @return timestamp Block time in seconds since 1970; 0 if the caller never anchored it.
    /// @return sequence Position among the contract's own events; 0 likewise.
    function anchorOf(bytes32 root, address caller)
        external
        view
        returns (uint64 timestamp, uint64 sequence);

    /// @notice How far the contract has got. A follower that recomputes the running hash over the
    /// events it has seen proves that it missed none.
    /// @dev `head' = bytes20(keccak256(abi.encode(head, sequence, block.timestamp, eventHash)))`
    /// from `head = 0`, with `eventHash = keccak256(abi.encode(topic0, ...))` over all arguments of
    /// the event in the order of their declaration, without `sequence` and `head`.
    /// @return sequence The number of events so far.
    /// @return runningHash The running hash after the last of them.
    function head() external view returns (uint64 sequence, bytes20 runningHash);

    /// @notice What a deed was issued with.
    /// @param deed The deed; all is zero if it was never issued.
    /// @return claimant Who claimed, whoever holds the deed now.
    /// @return timestamp When its anchor was made, in seconds since 1970; at most 2^34 - 1.
    /// @return sequence Position of its anchor among the contract's own events; at most 2^36 - 1, which
    /// stands for all later ones ({anchorOf} tells them).
    /// @return royalty Basis points.
    /// @return isWithdrawn Whether a holder withdrew it.
    /// @return transfers How often it was transferred (ERC-721) after its mint, also from a holder to
    /// itself. An offer that names this number ends with the next transfer, even if the deed comes
    /// back to the same holder. The number stops at 2,047 and stays there: who finds the maximum must
    /// hold no offer for valid, because later transfers no longer change it.
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
        );

    /// @notice The one deed of a claimant on a content, issued or not.
    /// @param claimant Who claims.
    /// @param contentDigest SHA-256 of the media before signing.
    /// @return deed The token id.
    function deedIdOf(address claimant, bytes32 contentDigest) external pure returns (uint256 deed);

    /// @notice The leaf of one claim, from its opened content part and its closed record part.
    /// @param claimant Who claims.
    /// @param contentDigest SHA-256 of the media before signing.
    /// @param contentSalt The salt that hid the digest.
    /// @param recordPart The commitment to the rest of the record.
    /// @return leaf The leaf.
    function leafOf(
        address claimant,
        bytes32 contentDigest,
        bytes32 contentSalt,
        bytes32 recordPart
    ) external pure returns (bytes32 leaf);

    /// @notice The root to which a leaf and its path lead (RFC 9162 section 2.1.3.2).
    /// @param leaf The leaf.
    /// @param index Its position, from 0.
    /// @param size The number of leaves.
    /// @param path The audit path, bottom first.
    /// @return root The root, with the size bound into it.
    function rootOf(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        external
        pure
        returns (bytes32 root);
}
