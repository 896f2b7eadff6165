"""Checking evidence bundles with all that this release knows: no database, key or network."""

from __future__ import annotations

from titledeed.fingerprinting.algorithms import find_algorithm
from titledeed.models.evidence import Bundle, TimestampStatement
from titledeed.models.fingerprint import FingerprintCode
from titledeed.models.primitives import Sha256
from titledeed.proofs.bundles import BundleChecker, BundleReport


def check_bundle(
    bundle: Bundle, asset_digest: Sha256 | None = None, *, trust_anchors: str = ""
) -> BundleReport:
    """See ``BundleChecker.check``."""
    return CHECKER.check(bundle, asset_digest, trust_anchors=trust_anchors)


def require_bundle(bundle: Bundle) -> None:
    """See ``BundleChecker.require``."""
    CHECKER.require(bundle)


def _check_code(code: FingerprintCode) -> None:
    algorithm = find_algorithm(code.algorithm, code.version)
    if algorithm is not None:  # another release may know more algorithms
        algorithm.decode(code.code)


def _check_token(token: bytes, digest: Sha256, *, anchors_pem: str) -> TimestampStatement:
    # Its library takes as long to import as a whole command should take to start.
    from titledeed.credentials.timestamps import check_token

    return check_token(token, digest, anchors_pem=anchors_pem)


CHECKER = BundleChecker(check_code=_check_code, check_token=_check_token)
