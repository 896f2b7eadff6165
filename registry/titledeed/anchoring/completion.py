"""Completing evidence bundles, by whoever anchors: what is asked of the chain is kept for readers.

Bundles of a batch are made when a block includes it, again when its block is final, and again when
a reorganisation put it into another block. Whoever verifies, shows or downloads only reads them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from titledeed.canonical.hashing import sha256
from titledeed.errors import (
    DependencyError,
    LedgerError,
    MalformedDocumentError,
    NotFoundError,
    TitledeedError,
)
from titledeed.models.bundle import Bundle
from titledeed.models.evidence import Anchor, ClaimStatus
from titledeed.models.primitives import MerkleRoot
from titledeed.models.registration import Registration
from titledeed.ports import (
    CompletionRepository,
    IncompleteBatch,
    Ledger,
    Progress,
    TimestampAuthority,
    no_progress,
)
from titledeed.vault.assembly import Assembly
from titledeed.vault.vault import Vault

BUNDLES_AT_ONCE: Final = 500
"""Kept with one wait for the disk, and so many in memory."""

_log = logging.getLogger(__name__)


class BundleCompletion:
    """Completes the bundles of own registrations.

    Args:
        ledger: asked for a storage proof of each batch.
        completions: tells which batches lack bundles.
        vault: gets the bundles.
        timestamps: asked once for each anchor, where there is one.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        completions: CompletionRepository,
        vault: Vault,
        timestamps: TimestampAuthority | None,
    ) -> None:
        self._ledger = ledger
        self._completions = completions
        self._vault = vault
        self._timestamps = timestamps

    def complete(self, progress: Progress = no_progress) -> None:
        """Complete whatever lacks its bundles. One batch that cannot does not stop the others.

        What was kept of a registration may be lost or damaged: it then gets none, is logged, and a
        rebuild sees to it.

        Raises:
            LedgerUnavailableError: the chain is asked for a proof and does not answer.
            LedgerError: another program anchored a batch of this home.
            StorageError: the disk is full or damaged.
        """
        problem: TitledeedError | None = None
        after = 0
        while (batch := self._completions.find_next(after)) is not None:
            after = batch.batch_id
            try:
                self._complete(batch, progress)
            except LedgerError as error:
                problem = error
            except (NotFoundError, MalformedDocumentError) as error:
                _log.warning("no bundles of batch %s: %s", batch.batch_id, error.message)
        if problem is not None:
            raise problem

    def stamp(self, root: MerkleRoot) -> bytes:
        """The RFC 3161 token over a root's SHA-256; empty where there is none to be had."""
        kept = self._vault.batches.find_token(root)
        if kept or self._timestamps is None:
            return kept
        try:
            token = self._timestamps.stamp(sha256(root))
        except DependencyError as error:
            # An anchor without a token is an anchor; the next completion asks again.
            _log.warning("no time-stamp for 0x%s: %s", root.hex(), error.message)
            return b""
        self._vault.batches.keep_token(root, token)
        return token

    def _complete(self, batch: IncompleteBatch, progress: Progress) -> None:
        anchors = {one.anchor for one in batch.registrations}
        if any(one is None or one.block_hash != batch.block_hash for one in anchors):
            return  # a reorganisation was faster: the next completion sees to it
        is_final = all(one.status is ClaimStatus.FINAL for one in batch.registrations)
        for anchor in filter(None, anchors):
            token = self.stamp(anchor.root)
            is_final &= bool(token) or self._timestamps is None
            self._keep_bundles(self._open(anchor, token), batch.registrations, progress)
        # An erasure may have come between reading a dossier and keeping what was read.
        for erased in self._completions.list_erased(batch):
            self._vault.bundles.delete(erased)
        self._completions.mark(batch, is_final=is_final)

    def _keep_bundles(
        self, assembly: Assembly, registrations: Sequence[Registration], progress: Progress
    ) -> None:
        for start in range(0, len(registrations), BUNDLES_AT_ONCE):
            part = registrations[start : start + BUNDLES_AT_ONCE]
            self._vault.bundles.keep_many(list(_assemble(assembly, part)))
            progress("Completing bundles", (start + len(part)) / len(registrations))

    def _open(self, anchor: Anchor, token: bytes) -> Assembly:
        return Assembly(
            self._vault,
            anchor,
            self._ledger.identity,
            state_proof=self._ledger.prove_anchor(anchor.root, anchor.caller),
            timestamp_token=token,
        )


def _assemble(assembly: Assembly, registrations: Sequence[Registration]) -> Iterator[Bundle]:
    for one in registrations:
        try:
            yield assembly.assemble(one)
        except (NotFoundError, MalformedDocumentError) as error:
            _log.warning("no bundle of %s: %s", one.registration_id, error.message)
