// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITitleDeed} from "../src/interfaces/ITitleDeed.sol";
import {Fixture} from "./Fixture.sol";
import {Follower} from "./Follower.sol";
import {vm} from "./Vm.sol";

/// @dev Does what people do, in any order, and follows the log.
contract Handler is Fixture, Follower {
    struct Anchor {
        bytes32 root;
        address caller;
        uint64 timestamp;
        uint64 sequence;
    }

    uint256 private constant PEOPLE = 4;
    uint256 private constant CONTENTS = 6;

    Anchor[] public anchors;
    Claim[] private _deeds;
    mapping(uint256 deed => uint16 count) private _transfers;
    mapping(uint256 deed => bool) private _withdrawn;

    uint256 private _clock = NOW;

    constructor() {
        super.setUp();
    }

    modifier followed(uint16 wait) {
        _clock += wait % 600;
        vm.warp(_clock);
        vm.recordLogs();
        _;
        _follow(vm.getRecordedLogs());
    }

    function anchor(uint8 who, uint8 what, uint32 size, uint16 wait) external followed(wait) {
        bytes32 root = _claim(_person(who), _content(what)).inclusion.root;
        address caller = _person(what);
        vm.prank(caller);
        deeds.anchor(root, uint256(size) + 1);
        _keep(root, caller);
    }

    function anchorFor(uint8 who, uint8 what, uint16 wait) external followed(wait) {
        bytes32 root = _content(what);
        address actor = _person(who);
        bytes memory signature = _sign(_key(who), _hashAnchor(actor, root, 1));
        deeds.anchorFor(root, 1, actor, LATER, signature);
        _keep(root, actor);
    }

    function issue(uint8 who, uint8 what, uint8 child, uint16 wait) external followed(wait) {
        Claim memory claim = _claim(_person(who), _content(what));
        vm.prank(claim.opening.claimant);
        deeds.anchor(claim.inclusion.root, 1);
        _keep(claim.inclusion.root, claim.opening.claimant);
        uint256[] memory parents = new uint256[](_deeds.length == 0 ? 0 : 1);
        if (parents.length == 1) parents[0] = _deeds[child % _deeds.length].deed;
        (address before,,,,,) = deeds.deedOf(claim.deed);
        if (before == address(0)) {
            _deeds.push(claim);
        } else {
            vm.expectRevert(abi.encodeWithSelector(ITitleDeed.DeedExists.selector, claim.deed));
        }
        _issue(claim, parents);
    }

    function transfer(uint8 which, uint8 to, uint16 wait) external followed(wait) {
        if (_deeds.length == 0) return;
        uint256 deed = _deeds[which % _deeds.length].deed;
        address holder = deeds.ownerOf(deed);
        vm.prank(holder);
        deeds.transferFrom(holder, _person(to), deed);
        ++_transfers[deed];
    }

    function withdrawDeed(uint8 which, uint16 wait) external followed(wait) {
        if (_deeds.length == 0) return;
        uint256 deed = _deeds[which % _deeds.length].deed;
        vm.prank(deeds.ownerOf(deed));
        deeds.withdrawDeed(deed);
        _withdrawn[deed] = true;
    }

    function log(uint8 who, uint8 act, bytes32 subject, bytes32 other, uint16 wait)
        external
        followed(wait)
    {
        vm.prank(_person(who));
        if (act % 5 == 0) deeds.withdraw(subject);
        else if (act % 5 == 1) deeds.supersede(subject, other);
        else if (act % 5 == 2) deeds.recordEvent(subject, other, subject);
        else if (act % 5 == 3) deeds.declareKey(_person(act), _person(who), wait);
        else deeds.publishBinding(subject, "https://registry.example", "");
    }

    /// @dev Forge would call it like any other act.
    function setUp() public override {}

    function supply() external view returns (uint256 held) {
        for (uint8 who = 0; who < PEOPLE; ++who) {
            held += deeds.balanceOf(_person(who));
        }
    }

    function checkHead() external view {
        (uint64 last, bytes20 told) = deeds.head();
        require(last == sequence && told == runningHash, "head");
    }

    function checkAnchors() external view {
        for (uint256 i = 0; i < anchors.length; ++i) {
            Anchor memory kept = anchors[i];
            (uint64 timestamp, uint64 number) = deeds.anchorOf(kept.root, kept.caller);
            require(timestamp == kept.timestamp && number == kept.sequence, "an anchor changed");
        }
    }

    function checkDeeds() external view {
        for (uint256 i = 0; i < _deeds.length; ++i) {
            Claim memory claim = _deeds[i];
            (address claimant, uint64 timestamp, uint64 number, uint16 royalty,,) =
                deeds.deedOf(claim.deed);
            (uint64 anchoredAt, uint64 anchorNumber) =
                deeds.anchorOf(claim.inclusion.root, claim.inclusion.anchoredBy);
            require(claimant == claim.opening.claimant && royalty == ROYALTY, "terms");
            require(timestamp == anchoredAt && number == anchorNumber, "date");
        }
    }

    function checkTransfers() external view {
        for (uint256 i = 0; i < _deeds.length; ++i) {
            uint256 deed = _deeds[i].deed;
            (,,,, bool isWithdrawn, uint16 transfers) = deeds.deedOf(deed);
            require(transfers == _transfers[deed], "a transfer was not counted, or something else");
            require(isWithdrawn == _withdrawn[deed], "the flag");
        }
    }

    function _keep(bytes32 root, address caller) private {
        (uint64 timestamp, uint64 number) = deeds.anchorOf(root, caller);
        for (uint256 i = 0; i < anchors.length; ++i) {
            if (anchors[i].sequence == number) return;
        }
        anchors.push(Anchor(root, caller, timestamp, number));
    }

    function _key(uint8 who) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("person", who % PEOPLE)));
    }

    function _person(uint8 who) private pure returns (address) {
        return vm.addr(_key(who));
    }

    function _content(uint8 what) private pure returns (bytes32) {
        return keccak256(abi.encode("content", what % CONTENTS));
    }
}

contract InvariantsTest {
    // The name by which forge knows a contract of tests with targets.
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public IS_TEST = true;

    Handler private _handler;

    function setUp() public {
        _handler = new Handler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @dev No gap, and no event that the running hash does not bind; the handler itself refuses a
    /// gap and a time that moves back.
    function invariant_the_head_is_that_of_the_log() public view {
        _handler.checkHead();
    }

    function invariant_an_anchor_never_changes() public view {
        _handler.checkAnchors();
    }

    function invariant_a_deed_keeps_its_claimant_and_the_date_of_its_anchor() public view {
        _handler.checkDeeds();
    }

    function invariant_a_deed_counts_its_transfers_and_nothing_else() public view {
        _handler.checkTransfers();
    }

    function invariant_every_issued_deed_is_held_once() public view {
        require(_handler.issued() == _handler.minted(), "minted");
        require(_handler.issued() == _handler.supply(), "held");
    }
}
