"""What the C2PA library reports of a manifest store, said in our own words. Pure.

The library's ``validation_state`` is not used: it calls a file Trusted whose ingredient was found
broken when it was added, and Invalid one whose certificate has merely expired. Three places are
read instead, for every manifest that the active one leads to: the failures of the active
manifest, the deltas of each ingredient, and what each ingredient's own editor recorded. The last
is only as honest as that editor: who signs with a tool that records nothing leaves no trace.

All strings come from strangers: capped here, escaped where they are rendered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from titledeed.canonical.claims import parse_signed_claim
from titledeed.canonical.documents import Fields
from titledeed.credentials.json_view import codes, member, objects, text
from titledeed.credentials.manifest import AI_DISCLOSURE_LABEL, CLAIM_LABEL
from titledeed.errors import MalformedDocumentError
from titledeed.models.claim import SignedClaim
from titledeed.models.evidence import HistoryCode, IntegrityCode, ManifestReport, TrustCode

LISTED_MAX: Final = 100
"""Of each list in a report."""

_NOT_ABOUT_BYTES: Final = (
    "signingCredential.",
    "claimSignature.outsideValidity",
    "timeStamp.",
    "cawg.",
    "manifest.inaccessible",
    "ingredient.unknownProvenance",
)
"""Failures that leave open whether anything was changed."""
_HARD_BINDING_MATCH: Final = re.compile(r"assertion\.\w+Hash\.match")
_HARD_BINDING_MISMATCH: Final = re.compile(r"assertion\.(data|bmff|boxes|collection)Hash\.mismatch")
_MODERN_CLAIM: Final = 2

_ASSERTION_URI: Final = re.compile(
    r"self#jumbf=/c2pa/(?P<manifest>.+)/c2pa\.assertions/(?P<label>.+)"
)


def interpret_store(
    summary: object, details: object, *, is_detached: bool = False
) -> ManifestReport:
    """Judge a manifest store.

    Args:
        summary: the library's short JSON, parsed; untrusted.
        details: its detailed JSON; only the claims' lists of assertions are read.
        is_detached: it was read without the file that it is bound to, so that its hard binding
            says nothing either way.
    """
    return _Store(summary, details, is_detached=is_detached).report()


def report_without_store(integrity: IntegrityCode, *failures: str) -> ManifestReport:
    """A report on a file that has no readable manifest store."""
    return ManifestReport(
        integrity=integrity,
        trust=TrustCode.NOT_CHECKED,
        history=HistoryCode.NONE,
        failures=failures,
        broken_ingredients=(),
        signer=None,
        signed_at=None,
        manifest_id=None,
        content_manifest_id=None,
        generator=None,
        title=None,
        source_types=(),
        actions_complete=False,
        ai_disclosure=False,
        signed_claim=None,
    )


class _Store:
    """One manifest store and its validation."""

    def __init__(self, summary: object, details: object, *, is_detached: bool) -> None:
        self._summary = summary
        self._details = details
        self._is_detached = is_detached
        self._active_id = text(summary, "active_manifest") or ""
        self._active = self._manifest(self._active_id)
        self._failures = tuple(
            code
            for code in self._active_codes("failure")
            if not (is_detached and _HARD_BINDING_MISMATCH.fullmatch(code))
        )
        self._successes = self._active_codes("success")

    def report(self) -> ManifestReport:
        integrity = self._judge_integrity()
        content_id = self._content_id() if integrity is IntegrityCode.INTACT else self._active_id
        content = self._manifest(content_id)
        broken = self._broken_ingredients()
        return ManifestReport(
            integrity=integrity,
            trust=self._judge_trust(),
            history=self._judge_history(broken=bool(broken)),
            failures=self._failures[:LISTED_MAX],
            broken_ingredients=broken[:LISTED_MAX],
            signer=self._signer(),
            signed_at=self._signed_at(),
            manifest_id=self._active_id or None,
            content_manifest_id=content_id or None,
            generator=_generator(content),
            title=text(content, "title"),
            source_types=self._source_types(content_id)[:LISTED_MAX],
            actions_complete=_has_complete_actions(content),
            ai_disclosure=any(True for _ in _assertions(content, AI_DISCLOSURE_LABEL)),
            signed_claim=_find_claim(content),
        )

    def _judge_integrity(self) -> IntegrityCode:
        deltas = [code for _, found in self._deltas() for code in found]
        if any(_is_about_bytes(code) for code in (*self._failures, *deltas)):
            return IntegrityCode.ALTERED
        bound = any(_HARD_BINDING_MATCH.fullmatch(code) for code in self._successes)
        if (bound or self._is_detached) and self._is_signature_valid():
            return IntegrityCode.INTACT
        return IntegrityCode.UNREADABLE

    def _judge_trust(self) -> TrustCode:
        if not self._is_signature_valid():
            # A certificate beside a signature that does not fit vouches for nothing.
            return TrustCode.NOT_CHECKED
        failures = set(self._failures)
        if failures & {"signingCredential.revoked", "signingCredential.ocsp.revoked"}:
            return TrustCode.REVOKED
        if failures & {"signingCredential.expired", "claimSignature.outsideValidity"}:
            return TrustCode.EXPIRED
        if any(code.startswith("signingCredential.") for code in failures):
            return TrustCode.UNTRUSTED
        if "signingCredential.trusted" in self._successes:
            return TrustCode.TRUSTED
        return TrustCode.NOT_CHECKED

    def _judge_history(self, *, broken: bool) -> HistoryCode:
        if broken:
            return HistoryCode.BROKEN_INGREDIENT
        if all(self._is_explained(manifest) for manifest in self._reachable(self._active_id)):
            return HistoryCode.COMPLETE
        return HistoryCode.GAPS

    def _is_explained(self, manifest: dict[str, object]) -> bool:
        """Whether the manifest says how its asset began, and its ingredients how they did."""
        parts = objects(manifest, "ingredients")
        known = all(self._manifest(text(part, "active_manifest")) for part in parts)
        began = any(text(action, "action") == "c2pa.created" for action in _actions(manifest))
        return known and (began or any(_is_parent(part) for part in parts))

    def _broken_ingredients(self) -> tuple[str, ...]:
        found = [
            (text(part, "title") or text(part, "label") or "ingredient", code)
            for manifest in self._reachable(self._active_id)
            for part in objects(manifest, "ingredients")
            for code in _recorded_failures(part)
        ]
        found += [
            (self._name_ingredient(uri), code)
            for uri, failures in self._deltas()
            for code in failures
        ]
        broken = (f"{name}: {code}" for name, code in found if _is_about_bytes(code))
        return tuple(dict.fromkeys(broken))

    def _name_ingredient(self, uri: str) -> str:
        if place := _ASSERTION_URI.fullmatch(uri):
            for part in objects(self._manifest(place["manifest"]), "ingredients"):
                if text(part, "label") == place["label"]:
                    return text(part, "title") or uri
        return uri

    def _content_id(self) -> str:
        """Follow update manifests, which have no hard binding, to what they leave as it was."""
        current = self._active_id
        seen = {current}
        while not self._has_hard_binding(current):
            parts = objects(self._manifest(current), "ingredients")
            target = text(parts[0], "active_manifest") if len(parts) == 1 else None
            if not target or target in seen or not _is_whole_parent(parts[0]):
                return self._active_id
            seen.add(target)
            current = target
        return current

    def _has_hard_binding(self, manifest_id: str) -> bool:
        claim = member(self._details, "manifests", manifest_id, "claim")
        lists = ("created_assertions", "gathered_assertions", "assertions")
        urls = (text(entry, "url") for name in lists for entry in objects(claim, name))
        return any(url and "c2pa.assertions/c2pa.hash." in url for url in urls)

    def _source_types(self, manifest_id: str) -> tuple[str, ...]:
        """Of the actions of the content and of all that went into it, nearest first."""
        found = (
            text(action, "digitalSourceType")
            for manifest in self._reachable(manifest_id)
            for action in _actions(manifest)
        )
        return tuple(dict.fromkeys(uri for uri in found if uri))

    def _signer(self) -> str | None:
        return text(self._active, "signature_info", "issuer") or text(
            self._active, "signature_info", "common_name"
        )

    def _signed_at(self) -> str | None:
        # The library counts every time-stamp of a version 1 claim as trusted, whoever made it.
        if member(self._active, "claim_version") == _MODERN_CLAIM and (
            "timeStamp.trusted" in self._successes
        ):
            return text(self._active, "signature_info", "time")
        return None

    def _is_signature_valid(self) -> bool:
        return "claimSignature.validated" in self._successes

    def _active_codes(self, kind: str) -> tuple[str, ...]:
        return codes(self._summary, "validation_results", "activeManifest", kind)

    def _deltas(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        for delta in objects(self._summary, "validation_results", "ingredientDeltas"):
            uri = text(delta, "ingredientAssertionURI") or "ingredient"
            yield uri, codes(delta, "validationDeltas", "failure")

    def _manifest(self, manifest_id: str | None) -> dict[str, object]:
        found = member(self._summary, "manifests", manifest_id) if manifest_id else None
        return found if isinstance(found, dict) else {}

    def _reachable(self, manifest_id: str) -> Iterator[dict[str, object]]:
        """A manifest and those of everything in it, each once; inputs to a model are not in it."""
        waiting = [manifest_id]
        seen: set[str] = set()
        while waiting:
            current = waiting.pop(0)
            if current not in seen and (manifest := self._manifest(current)):
                seen.add(current)
                yield manifest
                waiting += [
                    target
                    for part in objects(manifest, "ingredients")
                    if text(part, "relationship") != "inputTo"
                    if (target := text(part, "active_manifest"))
                ]


def _is_about_bytes(code: str) -> bool:
    return not code.startswith(_NOT_ABOUT_BYTES)


def _is_parent(part: dict[str, object]) -> bool:
    return text(part, "relationship") == "parentOf"


def _is_whole_parent(part: dict[str, object]) -> bool:
    return _is_parent(part) and not any(_is_about_bytes(code) for code in _recorded_failures(part))


def _recorded_failures(part: dict[str, object]) -> Iterator[str]:
    """What the editor who added the ingredient found; versions 1 and 2 keep failures only."""
    yield from codes(part, "validation_status")
    yield from codes(part, "validation_results", "activeManifest", "failure")
    for delta in objects(part, "validation_results", "ingredientDeltas"):
        yield from codes(delta, "validationDeltas", "failure")


def _assertions(manifest: dict[str, object], prefix: str) -> Iterator[dict[str, object]]:
    """Assertions attributed to the signer: all in a version 1 claim, the created ones later."""
    old = member(manifest, "claim_version") == 1
    for assertion in objects(manifest, "assertions"):
        is_attributed = old or member(assertion, "created") is True
        if is_attributed and (text(assertion, "label") or "").startswith(prefix):
            yield assertion


def _actions(manifest: dict[str, object]) -> Iterator[dict[str, object]]:
    for assertion in objects(manifest, "assertions"):
        if (text(assertion, "label") or "").startswith("c2pa.actions"):
            yield from objects(assertion, "data", "actions")


def _has_complete_actions(manifest: dict[str, object]) -> bool:
    """The signal rules of c2pa-org/conformance-public: else the actions are ambiguous."""
    attributed = list(_assertions(manifest, "c2pa.actions"))
    stated = [
        item
        for item in objects(manifest, "assertions")
        if (text(item, "label") or "").startswith("c2pa.actions")
    ]
    names = [text(action, "action") or "" for action in _actions(manifest)]
    return (
        bool(names)
        and attributed == stated
        and all(member(item, "data", "allActionsIncluded") is True for item in stated)
        and all(name.startswith("c2pa.") and name != "c2pa.unknown" for name in names)
    )


def _generator(manifest: dict[str, object]) -> str | None:
    for info in objects(manifest, "claim_generator_info"):
        words = (text(info, "name"), text(info, "version"))
        return " ".join(word for word in words if word)[:300] or None
    return text(manifest, "claim_generator")


def _find_claim(manifest: dict[str, object]) -> SignedClaim | None:
    for assertion in _assertions(manifest, CLAIM_LABEL):
        data = member(assertion, "data")
        if text(assertion, "label") == CLAIM_LABEL and isinstance(data, dict):
            try:
                return parse_signed_claim(Fields(data, path=CLAIM_LABEL))
            except MalformedDocumentError:
                return None
    return None
