"""Adapters of one home, each built when first used.

Services are given these and nothing else is: whoever holds one can ask it past every check, so
that ``Registry`` shows none of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import ExitStack
from functools import cached_property
from importlib.metadata import version
from typing import Final

from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.keys import FileKeyStore, KeyFile
from titledeed.chain.ledger import EvmLedger
from titledeed.chain.pin import read_pin
from titledeed.chain.rpc import HttpNode, Node
from titledeed.credentials.authority import (
    SigningIdentity,
    open_signing_identity,
    root_certificate,
)
from titledeed.credentials.reader import C2paReader
from titledeed.credentials.signer import C2paSigner
from titledeed.credentials.trust import load_trust_anchors
from titledeed.errors import PassphraseError
from titledeed.examining import SandboxedExaminer
from titledeed.homes.layout import HomeLayout
from titledeed.matching.embedded import EmbeddedIndex
from titledeed.matching.held_codes import HeldCodes
from titledeed.media.limits import MediaLimits
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.ledger import Confirmations
from titledeed.ports import IndexedWork, Ledger, TimestampAuthority
from titledeed.sandbox import Sandbox, SandboxLimits
from titledeed.settings import Settings
from titledeed.store.chain import SqlChain
from titledeed.store.database import sqlite_url
from titledeed.store.objects import LocalObjectStore
from titledeed.store.occupancy import occupy
from titledeed.store.outbox import SqlOutbox
from titledeed.store.registrations import SqlRegistrations
from titledeed.store.repositories import SqlRepositories
from titledeed.vault.vault import Vault

PUBLIC_CONFIRMATIONS: Final = Confirmations(safe=32, final=96)
"""Ethereum finalises after 64 to 95 blocks; a chain that differs has its own settings."""


def now() -> int:
    """The wall clock, seconds since 1970."""
    return int(time.time())


def read_passphrase(settings: Settings) -> str:
    """The passphrase that opens the keys: from the settings, their file, or the generated file.

    Raises:
        PassphraseError: there is none, or its file cannot be read.
    """
    if settings.passphrase is not None:
        return settings.passphrase.get_secret_value()
    path = settings.passphrase_file or HomeLayout(settings.home_path).passphrase_file
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PassphraseError(
            f"no passphrase: {path} cannot be read",
            next_step="Set TITLEDEED_PASSPHRASE or TITLEDEED_PASSPHRASE_FILE.",
            path=path,
        ) from error


class Adapters:
    """What the services of one home stand on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.layout = HomeLayout(settings.home_path)

    def close(self) -> None:
        """End processes and connections; idempotent."""
        built = self.__dict__
        for name in ("ledger", "repositories", "_occupancy"):
            if name in built:
                built.pop(name).close()

    @cached_property
    def chain_identity(self) -> ChainIdentity:
        """The chain that this home pins."""
        return read_pin(self.layout.chain).identity

    @cached_property
    def node(self) -> Node:
        """What answers Ethereum JSON-RPC; the ledger closes it."""
        chain = self._settings.chain
        if chain.rpc_url is None:
            return DevelopmentChain(folder=self.layout.chain)
        return HttpNode(url=chain.rpc_url, timeout_s=chain.rpc_timeout_s)

    @cached_property
    def ledger(self) -> Ledger:
        """The chain; it connects, or starts a process, on first use."""
        return EvmLedger(
            node=self.node,
            pin=read_pin(self.layout.chain),
            sender=KeyFile(path=self.layout.sender_key, passphrase=self._passphrase),
            claimant=self.keys.address,
        )

    @cached_property
    def confirmations(self) -> Confirmations:
        """After how many blocks an anchor is safe, and final, on this home's chain."""
        chain = self._settings.chain
        is_own = self.chain_identity.kind is ChainKind.DEVELOPMENT
        usual = Confirmations(0, 0) if is_own else PUBLIC_CONFIRMATIONS
        return Confirmations(
            safe=usual.safe if chain.safe_confirmations is None else chain.safe_confirmations,
            final=usual.final if chain.final_confirmations is None else chain.final_confirmations,
        )

    @cached_property
    def repositories(self) -> SqlRepositories:
        """The database; while it is open nobody can put another in its place."""
        if self.is_writable:
            _ = self._occupancy
        return SqlRepositories(
            url=sqlite_url(self.layout.database, read_only=not self.is_writable),
            lock_path=self.layout.locks / "sender",
        )

    @cached_property
    def is_writable(self) -> bool:
        """Whether this home can change; one on a read-only medium answers from what it holds."""
        return os.access(self.layout.root, os.W_OK)

    @cached_property
    def _occupancy(self) -> ExitStack:
        stack = ExitStack()
        stack.enter_context(occupy(self.layout.occupancy, alone=False))
        return stack

    @cached_property
    def registrations(self) -> SqlRegistrations:
        """Registrations."""
        return self.repositories.registrations

    @cached_property
    def outbox(self) -> SqlOutbox:
        """Leaves and batches under way."""
        return self.repositories.outbox

    @cached_property
    def followed(self) -> SqlChain:
        """What was followed of the chain."""
        return self.repositories.followed

    @cached_property
    def objects(self) -> LocalObjectStore:
        """Where the vault keeps what is small."""
        return LocalObjectStore(folder=self.layout.objects)

    @cached_property
    def vault(self) -> Vault:
        """All that is kept beside the database."""
        return Vault.over(self.objects, signed=self.layout.signed, reports=self.layout.reports)

    @cached_property
    def keys(self) -> FileKeyStore:
        """The claimant's key."""
        return FileKeyStore(KeyFile(path=self.layout.claimant_key, passphrase=self._passphrase))

    @cached_property
    def signer(self) -> C2paSigner:
        """Signs manifests with this home's certificate."""
        return C2paSigner(
            identity=lambda: self._signing_identity,
            trust_anchors=self._trust_anchors,
            generator_version=version("titledeed"),
        )

    @cached_property
    def _sandbox(self) -> Sandbox:
        return make_sandbox(self._settings)

    @cached_property
    def examiner(self) -> SandboxedExaminer:
        """Looks at files."""
        return make_examiner(self._settings, self._sandbox)

    @cached_property
    def reader(self) -> C2paReader:
        """Reads manifests of untrusted files."""
        return C2paReader(sandbox=self._sandbox, trust_anchors=self._trust_anchors)

    @cached_property
    def index(self) -> EmbeddedIndex:
        """Searches fingerprints."""
        return EmbeddedIndex(source=self.repositories.fingerprints, folder=self.layout.index)

    @cached_property
    def timestamps(self) -> TimestampAuthority | None:
        """Stamps anchors; None where none is configured."""
        settings = self._settings.timestamp
        if settings.url is None:
            return None
        # Its library takes as long to import as a whole command should take to start.
        from titledeed.credentials.timestamps import Rfc3161Authority

        return Rfc3161Authority(url=settings.url, timeout_s=settings.timeout_s)

    @cached_property
    def _signing_identity(self) -> SigningIdentity:
        return open_signing_identity(self.layout.signing_identity, self._passphrase())

    def _passphrase(self) -> str:
        return read_passphrase(self._settings)

    def _trust_anchors(self) -> str:
        return load_trust_anchors(self.layout.trust, root_certificate(self.layout.signing_identity))


def index_works(works: Iterable[IndexedWork]) -> EmbeddedIndex:
    """An index of works at hand, in memory."""
    return EmbeddedIndex(source=HeldCodes(works))


def make_sandbox(settings: Settings) -> Sandbox:
    """Where untrusted files are read."""
    return Sandbox(limits=SandboxLimits(**settings.sandbox.model_dump()))


def make_examiner(settings: Settings, sandbox: Sandbox | None = None) -> SandboxedExaminer:
    """What examines files; needs no home folder."""
    return SandboxedExaminer(
        sandbox=sandbox or make_sandbox(settings),
        limits=MediaLimits(**settings.media.model_dump()),
    )
