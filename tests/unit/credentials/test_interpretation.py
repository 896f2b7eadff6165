"""Verdicts drawn from the library's JSON, also where its own verdict misleads."""

from __future__ import annotations

from typing import Any

import pytest
from builders import build_dossier
from hypothesis import given
from hypothesis import strategies as st

from titledeed.canonical.claims import encode_signed_claim
from titledeed.canonical.documents import Fields
from titledeed.credentials.interpretation import interpret_store
from titledeed.credentials.report_document import encode_report, parse_report
from titledeed.errors import MalformedDocumentError
from titledeed.models.evidence import HistoryCode, IntegrityCode, ManifestReport, TrustCode

GENERATIVE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
GOOD = (
    "signingCredential.trusted",
    "claimSignature.insideValidity",
    "claimSignature.validated",
    "assertion.hashedURI.match",
    "assertion.dataHash.match",
)
Manifest = dict[str, Any]


def _statuses(*codes: str) -> list[dict[str, str]]:
    return [{"code": code, "url": "u", "explanation": "e"} for code in codes]


def _actions(*names: str, created: bool | None = True, **extra: object) -> Manifest:
    actions = [{"action": name} for name in names]
    data = {"actions": actions, "allActionsIncluded": True} | extra
    return {"label": "c2pa.actions.v2", "data": data, "created": created}


def _manifest(
    *assertions: Manifest, parts: tuple[Manifest, ...] = (), version: int = 2
) -> Manifest:
    return {
        "claim_version": version,
        "title": "t",
        "assertions": list(assertions or (_actions("c2pa.created"),)),
        "ingredients": list(parts),
        "signature_info": {
            "issuer": "Org",
            "common_name": "Person",
            "time": "2026-01-01T00:00:00Z",
        },
    }


def _part(target: str | None = "parent", relationship: str = "parentOf", **extra: Any) -> Manifest:
    part = {"title": "part.jpg", "label": "c2pa.ingredient.v3", "relationship": relationship}
    return part | ({"active_manifest": target} if target else {}) | extra


def _interpret(
    active: Manifest | None = None,
    *,
    success: tuple[str, ...] = GOOD,
    failure: tuple[str, ...] = (),
    deltas: tuple[str, ...] = (),
    others: dict[str, Manifest] | None = None,
    updates: tuple[str, ...] = (),
) -> ManifestReport:
    """Interpret a store whose active manifest is ``active``; ``updates`` have no hard binding."""
    manifests = {"active": active or _manifest()} | (others or {})
    summary = {
        "active_manifest": "active",
        "manifests": manifests,
        "validation_results": {
            "activeManifest": {"success": _statuses(*success), "failure": _statuses(*failure)},
            "ingredientDeltas": [
                {
                    "ingredientAssertionURI": "self#jumbf=/c2pa/active/c2pa.assertions/"
                    "c2pa.ingredient.v3",
                    "validationDeltas": {"failure": _statuses(*deltas)},
                }
            ],
        },
        "validation_state": "Trusted",
    }
    bound = [{"url": "self#jumbf=c2pa.assertions/c2pa.hash.data"}]
    claims = {
        name: {"claim": {"created_assertions": [] if name in updates else bound}}
        for name in manifests
    }
    return interpret_store(summary, {"manifests": claims})


def test_good_file() -> None:
    report = _interpret()
    assert report.integrity is IntegrityCode.INTACT
    assert report.trust is TrustCode.TRUSTED
    assert report.history is HistoryCode.COMPLETE
    assert report.signer == "Org"


@pytest.mark.parametrize(
    "failure",
    [
        "assertion.dataHash.mismatch",
        "assertion.bmffHash.mismatch",
        "assertion.hashedURI.mismatch",
        "claim.missing",
        "ingredient.manifest.missing",
        "a.code.of.tomorrow",
    ],
)
def test_failure_about_bytes_is_altered(failure: str) -> None:
    report = _interpret(failure=("signingCredential.untrusted", failure))
    assert report.integrity is IntegrityCode.ALTERED
    assert report.failures == ("signingCredential.untrusted", failure)


@pytest.mark.parametrize(
    ("failures", "trust"),
    [
        (("signingCredential.untrusted",), TrustCode.UNTRUSTED),
        (("signingCredential.invalid",), TrustCode.UNTRUSTED),
        (("signingCredential.untrusted", "signingCredential.expired"), TrustCode.EXPIRED),
        (("claimSignature.outsideValidity",), TrustCode.EXPIRED),
        (("signingCredential.revoked", "signingCredential.expired"), TrustCode.REVOKED),
        (("signingCredential.ocsp.revoked",), TrustCode.REVOKED),
        (("timeStamp.untrusted",), TrustCode.TRUSTED),
        (("cawg.ica.did_unavailable",), TrustCode.TRUSTED),
    ],
)
def test_problem_of_trust_is_never_altered(failures: tuple[str, ...], trust: TrustCode) -> None:
    report = _interpret(failure=failures)
    assert report.integrity is IntegrityCode.INTACT
    assert report.trust is trust


def test_trusted_certificate_beside_a_wrong_signature_vouches_for_nothing() -> None:
    success = ("signingCredential.trusted", "assertion.dataHash.match")
    report = _interpret(success=success, failure=("claimSignature.mismatch",))
    assert report.integrity is IntegrityCode.ALTERED
    assert report.trust is TrustCode.NOT_CHECKED


@pytest.mark.parametrize("missing", ["claimSignature.validated", "assertion.dataHash.match"])
def test_nothing_is_intact_without_evidence(missing: str) -> None:
    report = _interpret(success=tuple(code for code in GOOD if code != missing))
    assert report.integrity is IntegrityCode.UNREADABLE


class TestHistory:
    """All three places count, for every manifest."""

    def test_parent_that_begins_somewhere_is_complete(self) -> None:
        active = _manifest(_actions("c2pa.opened"), parts=(_part(),))
        assert _interpret(active, others={"parent": _manifest()}).history is HistoryCode.COMPLETE

    @pytest.mark.parametrize(
        "active",
        [
            _manifest(_actions("c2pa.opened"), parts=(_part(None),)),
            _manifest(parts=(_part("gone", "componentOf"),)),
            _manifest(_actions("c2pa.edited")),
            _manifest(_actions("c2pa.opened")),
        ],
    )
    def test_part_without_credentials_is_a_gap(self, active: Manifest) -> None:
        assert _interpret(active).history is HistoryCode.GAPS

    def test_gap_further_back_counts(self) -> None:
        parent = _manifest(_actions("c2pa.opened"), parts=(_part(None),))
        active = _manifest(_actions("c2pa.opened"), parts=(_part(),))
        assert _interpret(active, others={"parent": parent}).history is HistoryCode.GAPS

    @pytest.mark.parametrize(
        "recorded",
        [
            {"validation_status": _statuses("claimSignature.mismatch")},
            {
                "validation_results": {
                    "activeManifest": {"failure": _statuses("claimSignature.mismatch")}
                }
            },
            {
                "validation_results": {
                    "ingredientDeltas": [
                        {"validationDeltas": {"failure": _statuses("claimSignature.mismatch")}}
                    ]
                }
            },
        ],
    )
    def test_valid_signature_over_a_broken_part_is_named(self, recorded: Manifest) -> None:
        middle = _manifest(parts=(_part("leaf", **recorded),))
        active = _manifest(_actions("c2pa.opened"), parts=(_part("middle"),))
        report = _interpret(active, others={"middle": middle, "leaf": _manifest()})
        assert (report.integrity, report.trust) == (IntegrityCode.INTACT, TrustCode.TRUSTED)
        assert report.history is HistoryCode.BROKEN_INGREDIENT
        assert report.broken_ingredients == ("part.jpg: claimSignature.mismatch",)

    def test_part_that_fails_only_now_alters_the_file(self) -> None:
        active = _manifest(_actions("c2pa.opened"), parts=(_part(),))
        report = _interpret(
            active, deltas=("assertion.hashedURI.mismatch",), others={"parent": _manifest()}
        )
        assert report.integrity is IntegrityCode.ALTERED
        assert report.broken_ingredients == ("part.jpg: assertion.hashedURI.mismatch",)
        assert report.failures == ()

    def test_untrusted_part_is_not_broken(self) -> None:
        part = _part(validation_status=_statuses("signingCredential.untrusted"))
        active = _manifest(_actions("c2pa.opened"), parts=(part,))
        report = _interpret(
            active, deltas=("signingCredential.expired",), others={"parent": _manifest()}
        )
        assert report.integrity is IntegrityCode.INTACT
        assert report.history is HistoryCode.COMPLETE

    def test_remote_parent_that_was_not_fetched_is_a_gap(self) -> None:
        part = _part(None, validation_status=_statuses("manifest.inaccessible"))
        report = _interpret(_manifest(_actions("c2pa.opened"), parts=(part,)))
        assert report.history is HistoryCode.GAPS

    def test_manifests_that_name_each_other_end(self) -> None:
        active = _manifest(_actions("c2pa.opened"), parts=(_part(),))
        parent = _manifest(_actions("c2pa.opened"), parts=(_part("active"),))
        assert _interpret(active, others={"parent": parent}).history is HistoryCode.COMPLETE


class TestActions:
    """Ambiguous is whatever the signal rules call so."""

    def test_complete(self) -> None:
        assert _interpret(_manifest(_actions("c2pa.created", "c2pa.edited"))).actions_complete

    @pytest.mark.parametrize(
        "assertions",
        [
            (_actions("c2pa.created", allActionsIncluded=False),),
            (_actions("c2pa.created", allActionsIncluded="yes"),),
            (_actions("c2pa.created", created=None),),
            (_actions("c2pa.created", "c2pa.unknown"),),
            (_actions("c2pa.created", "com.example.paint"),),
            (_actions(),),
            (_actions("c2pa.created"), _actions("c2pa.edited", created=None)),
            ({"label": "c2pa.metadata", "data": {}, "created": True},),
        ],
    )
    def test_ambiguous(self, assertions: tuple[Manifest, ...]) -> None:
        assert not _interpret(_manifest(*assertions)).actions_complete

    def test_old_claims_attribute_all_assertions(self) -> None:
        manifest = _manifest(_actions("c2pa.created", created=None), version=1)
        assert _interpret(manifest).actions_complete

    def test_source_types_come_nearest_first_and_once(self) -> None:
        def typed(*uris: str) -> Manifest:
            return _actions(
                actions=[{"action": "c2pa.edited", "digitalSourceType": u} for u in uris]
            )

        active = _manifest(
            typed("b", "a"),
            parts=(_part(), _part("input", "inputTo"), _part("piece", "componentOf")),
        )
        others = {
            "parent": _manifest(typed("a", "c")),
            "piece": _manifest(typed("d")),
            "input": _manifest(typed("not in the work")),
        }
        assert _interpret(active, others=others).source_types == ("b", "a", "c", "d")


class TestTime:
    """Only a time-stamp that was checked against our anchors counts."""

    def test_trusted_time_stamp(self) -> None:
        report = _interpret(success=(*GOOD, "timeStamp.validated", "timeStamp.trusted"))
        assert report.signed_at == "2026-01-01T00:00:00Z"

    def test_untrusted_time_stamp(self) -> None:
        assert _interpret(success=(*GOOD, "timeStamp.validated")).signed_at is None

    def test_time_stamp_of_an_old_claim_was_never_checked(self) -> None:
        report = _interpret(_manifest(version=1), success=(*GOOD, "timeStamp.trusted"))
        assert report.signed_at is None


class TestContentManifest:
    """An update manifest changes the bytes and not the identity."""

    def test_ordinary_file(self) -> None:
        assert _interpret().content_manifest_id == "active"

    def test_two_updates(self) -> None:
        update = _manifest(_actions("c2pa.opened"), parts=(_part("middle"),))
        middle = _manifest(_actions("c2pa.opened"), parts=(_part("base"),))
        base = _manifest() | {"title": "base"}
        report = _interpret(
            update, others={"middle": middle, "base": base}, updates=("active", "middle")
        )
        assert (report.manifest_id, report.content_manifest_id) == ("active", "base")
        assert report.title == "base" and report.actions_complete

    @pytest.mark.parametrize(
        "parts",
        [
            (),
            (_part(None),),
            (_part("base", "componentOf"),),
            (_part("base"), _part("base")),
            (_part("active"),),
            (_part("base", validation_status=_statuses("assertion.dataHash.mismatch")),),
        ],
    )
    def test_chain_that_does_not_hold_is_not_followed(self, parts: tuple[Manifest, ...]) -> None:
        update = _manifest(_actions("c2pa.opened"), parts=parts)
        report = _interpret(update, others={"base": _manifest()}, updates=("active",))
        assert report.content_manifest_id == "active"

    def test_altered_file_is_not_followed(self) -> None:
        update = _manifest(_actions("c2pa.opened"), parts=(_part("base"),))
        report = _interpret(
            update,
            failure=("assertion.dataHash.mismatch",),
            others={"base": _manifest()},
            updates=("active",),
        )
        assert report.content_manifest_id == "active"


class TestClaim:
    """Our own assertion."""

    SIGNED = build_dossier(1).record.signed_claim

    def _find(self, data: object, **extra: object) -> ManifestReport:
        assertion = {"label": "org.titledeed.claim", "data": data, "created": True} | extra
        return _interpret(_manifest(_actions("c2pa.created"), assertion))

    def test_claim_is_read(self) -> None:
        assert self._find(encode_signed_claim(self.SIGNED)).signed_claim == self.SIGNED

    @pytest.mark.parametrize(
        "change",
        [
            {"claimant": "0x00"},
            {"claimed_at": -1},
            {"claimed_at": 1.5},
            {"signature": ""},
            {"content_sha256": None},
            {"extra": 1},
        ],
    )
    def test_malformed_claim_is_none(self, change: dict[str, object]) -> None:
        assert self._find(encode_signed_claim(self.SIGNED) | change).signed_claim is None

    @pytest.mark.parametrize("data", [None, [], "text", 7, {}])
    def test_other_data_is_none(self, data: object) -> None:
        assert self._find(data).signed_claim is None

    def test_claim_that_the_signer_only_gathered_is_none(self) -> None:
        assert self._find(encode_signed_claim(self.SIGNED), created=None).signed_claim is None


KEYS = st.sampled_from(
    [
        *("active_manifest", "manifests", "active", "validation_results", "activeManifest"),
        *("success", "failure", "code", "ingredientDeltas", "validationDeltas", "assertions"),
        *("ingredients", "label", "data", "actions", "title", "claim_generator_info", "claim"),
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.sampled_from(["active", "c2pa.actions", *GOOD])
)
TREES = st.recursive(
    LEAVES, lambda nested: st.lists(nested, max_size=3) | st.dictionaries(KEYS, nested, max_size=6)
)


@given(TREES, TREES)
def test_no_json_stops_the_interpreter(summary: object, details: object) -> None:
    report = interpret_store(summary, details)
    assert parse_report(Fields(encode_report(report), path="report")) == report


def test_endless_lists_are_cut() -> None:
    report = _interpret(failure=("assertion.dataHash.mismatch",) * 1_000)
    assert len(report.failures) == 100


@pytest.mark.parametrize(
    "change",
    [
        {"integrity": "authentic"},
        {"trust": None},
        {"failures": ["x" * 301]},
        {"failures": ["x"] * 101},
        {"title": "x" * 301},
        {"signed_claim": {}},
        {"extra": 1},
        {"actions_complete": 1},
    ],
)
def test_child_that_lies_about_the_form_is_refused(change: dict[str, object]) -> None:
    document = encode_report(_interpret()) | change
    with pytest.raises(MalformedDocumentError):
        parse_report(Fields(document, path="report"))
