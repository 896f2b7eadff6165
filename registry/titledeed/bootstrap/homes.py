"""Work on whole homes: founding, keys, backups, the index, the contract. Picks adapters, too.

Most of it is for homes that are not open: they are not made yet, or their database is to be
replaced, or they lie in an archive.
"""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager, closing
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from titledeed.bootstrap import Adapters, Registry, now, open_registry, read_passphrase
from titledeed.canonical.identifiers import parse_address
from titledeed.chain.creation import (
    DEPLOYMENT_NAME,
    Deployment,
    describe_deployment,
    write_deployment,
)
from titledeed.chain.deployment import deploy_contract, pin_chain
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.key_folder import SENDER, KeyFolder
from titledeed.chain.keys import (
    WORK_FACTOR,
    WORK_FACTOR_GENERATED,
    FileKeyStore,
    KeyFile,
)
from titledeed.chain.pin import PIN_NAME, read_pin, write_pin
from titledeed.chain.rpc import HttpNode
from titledeed.errors import HomeNotInitializedError, InvalidRequestError
from titledeed.homes.backup import BackupService, BackupSummary
from titledeed.homes.erasure import Erased, ErasureService
from titledeed.homes.founding import InitializedHome, found_keys, prepare_passphrase
from titledeed.homes.layout import HomeLayout
from titledeed.homes.rebuilding import RebuildingService, Rebuilt
from titledeed.homes.restoring import restore_backup
from titledeed.matching.shelves import ERASURE_PATIENCE_S, keep_tables
from titledeed.models.evidence import ChainIdentity, ChainKind
from titledeed.models.primitives import RegistrationId
from titledeed.ports import AccountKeyStore, Progress, no_progress
from titledeed.services.evidence import CHECKER
from titledeed.settings import Settings
from titledeed.store.copying import (
    check_database,
    copy_database,
    delete_database,
    move_signed_copies,
    replace_database,
)
from titledeed.store.database import sqlite_url
from titledeed.store.locking import hold_lock
from titledeed.store.occupancy import occupy
from titledeed.store.repositories import SqlRepositories

UPKEEP_TIMEOUT_S = 3_600.0
"""A backup of films takes its time; an erasure waits for it."""


class _NewIndex(Adapters):
    """Those of a home, on a database that nobody else sees yet."""

    @cached_property
    def repositories(self) -> SqlRepositories:
        """The database that is being filled."""
        return SqlRepositories(
            url=sqlite_url(self.layout.new_database), lock_path=self.layout.locks / "sender"
        )


def initialize_home(settings: Settings, *, organization: str = "") -> InitializedHome:
    """Make a home: keys, development authority, chain, database, token.

    Each part that is there already is kept, so that an interrupted run is simply repeated.

    Raises:
        ToolMissingError: anvil is needed and not installed.
        PassphraseError: a key that is there does not open with the passphrase given.
        LedgerUnavailableError: a chain is configured and does not answer.
        StorageError: the folder cannot be written.
    """
    layout = HomeLayout(settings.home_path)
    created = not layout.claimant_key.exists()
    generated = prepare_passphrase(layout, is_given=_is_given(settings))
    keys = found_keys(
        layout, read_passphrase(settings), is_generated=generated, organization=organization
    )
    chain = _ensure_chain(settings, layout, keys.sender)
    # The claimant's key comes last: a folder that holds it is a whole home.
    claimant = keys.make_claimant()
    with open_registry(settings) as registry:
        token = registry.access.issue_token() if created else ""
    return InitializedHome(
        home=layout.root,
        claimant=claimant.address,
        sender=keys.sender.address,
        recovery=keys.recovery,
        chain=chain,
        passphrase_file=layout.passphrase_file if generated else None,
        token=token,
        created=created,
    )


def _is_given(settings: Settings) -> bool:
    return settings.passphrase is not None or settings.passphrase_file is not None


def _ensure_chain(settings: Settings, layout: HomeLayout, sender: KeyFile) -> ChainIdentity:
    if (layout.chain / PIN_NAME).exists():
        return read_pin(layout.chain).identity
    url = settings.chain.rpc_url
    if url is None:
        chain = DevelopmentChain.create(folder=layout.chain, funded=(sender.address,))
        chain.close()
        return chain.pin.identity
    contract = settings.chain.contract
    with closing(HttpNode(url=url, timeout_s=settings.chain.rpc_timeout_s)) as node:
        pin = pin_chain(
            node,
            contract=parse_address(contract) if contract else None,
            first_block=settings.chain.first_block,
        )
    write_pin(layout.chain, pin)
    return pin.identity


def open_keys(settings: Settings, *, may_write: bool = False) -> KeyFolder:
    """The keys of a home that may not be made yet.

    Args:
        settings: name the home.
        may_write: makes the folder, and generates a passphrase, if need be.

    Raises:
        StorageError: the folder cannot be written.
    """
    layout = HomeLayout(settings.home_path)
    is_generated = may_write and prepare_passphrase(layout, is_given=_is_given(settings))
    is_made = (layout.chain / PIN_NAME).exists()
    return KeyFolder(
        folder=layout.keys,
        passphrase=lambda: read_passphrase(settings),
        kind=read_pin(layout.chain).identity.kind if is_made else ChainKind.DEVELOPMENT,
        work_factor=WORK_FACTOR_GENERATED if is_generated else WORK_FACTOR,
    )


def open_account_keys(settings: Settings, name: str) -> AccountKeyStore:
    """What signs with one of the home's keys.

    Raises:
        NotFoundError: there is no key of that name.
        PassphraseError: nobody gave the passphrase that opens it, or it is another.
    """
    return FileKeyStore(open_keys(settings).open(name))


def deploy(settings: Settings, *, token_uri_base: str = "") -> tuple[Deployment, Path]:
    """Put the contract on the configured chain, paid by this home's sender, unless it is there.

    Args:
        settings: name the chain's RPC; the home may hold nothing but the sender's key.
        token_uri_base: stands before each token's id in its URI, for ever; gives the contract
            another address than the standard one.

    Returns:
        How it was deployed, and the file that tells.

    Raises:
        InvalidRequestError: no other chain than the home's own is configured.
        NotFoundError: there is no sender's key.
        TransactionRevertedError: the chain refused the deployment.
        LedgerError: the sender cannot pay.
        LedgerUnavailableError: the chain does not answer.
    """
    url = settings.chain.rpc_url
    if url is None:
        raise InvalidRequestError(
            "the development chain of a home holds the contract from its first block on",
            next_step="Set TITLEDEED_CHAIN__RPC_URL to the chain that is meant.",
        )
    layout = HomeLayout(settings.home_path)
    sender = open_keys(settings).open(SENDER)
    with closing(HttpNode(url=url, timeout_s=settings.chain.rpc_timeout_s)) as node:
        contract = deploy_contract(
            node,
            sender=sender,
            base_uri=token_uri_base,
            timeout_s=settings.chain.inclusion_timeout_s,
        )
        deployment = describe_deployment(node, contract)
    path = layout.chain / DEPLOYMENT_NAME
    write_deployment(path, deployment)
    return deployment, path


def erase(
    settings: Settings, registration_id: RegistrationId, *, keep_signed_copy: bool = False
) -> Erased:
    """Erase a registration of a home; see ``ErasureService.erase``."""
    adapters = Adapters(settings)
    with Registry(settings, adapters):
        service = ErasureService(
            registrations=adapters.registrations,
            vault=adapters.vault,
            clock=now,
            turn=lambda: _upkeep(adapters.layout),
        )
        erased = service.erase(registration_id, keep_signed_copy=keep_signed_copy)
        # The look-up tables hold its codes, too, until they see that it is gone.
        keep_tables(
            source=adapters.repositories.fingerprints,
            folder=adapters.layout.index,
            patience_s=ERASURE_PATIENCE_S,
        )
        return erased


def rebuild_index(settings: Settings, progress: Progress = no_progress) -> Rebuilt:
    """Rebuild the database of a home, and put the new one in the place of the old.

    Nobody else may be using the home. Until the new one is whole the old one stays.

    Raises:
        HomeNotInitializedError: there is no home.
        DependencyError: another process uses it.
        LedgerUnavailableError: the chain does not answer.
        StorageError: the disk is full, or objects cannot be read.
    """
    layout = HomeLayout(settings.home_path)
    adapters = _NewIndex(settings)
    with Registry(settings, adapters) as registry, occupy(layout.occupancy, alone=True):
        delete_database(layout.new_database)
        service = RebuildingService(
            vault=adapters.vault,
            checker=CHECKER,
            registrations=adapters.registrations,
            fingerprints=adapters.repositories.fingerprints,
            outbox=adapters.outbox,
            chain=adapters.followed,
            snapshots=adapters.repositories.snapshots,
            following=registry.following,
            ledger=adapters.ledger,
            clock=now,
            place_copy=lambda registration_id, path: place_copy(layout, registration_id, path),
        )
        rebuilt = service.rebuild(progress)
        registry.completion.complete(progress)
        registry.close()
        # Its tables number the rows of the old database.
        if layout.index.exists():
            shutil.rmtree(layout.index)
        replace_database(layout.database, layout.new_database)
    with closing(Adapters(settings)) as renewed:
        keep_tables(source=renewed.repositories.fingerprints, folder=layout.index)
    return rebuilt


def place_copy(layout: HomeLayout, registration_id: RegistrationId, path: str) -> str:
    """Where a signed copy lies now: those of the home itself move with it."""
    name = Path(path).name
    here = layout.signed / registration_id / name
    was_inside = Path(path).parts[-3:] == here.parts[-3:]
    return str(here) if was_inside else path


def back_up(
    settings: Settings,
    destination: Path,
    *,
    with_keys: bool = True,
    progress: Progress = no_progress,
) -> BackupSummary:
    """Back up a home; see ``BackupService.back_up``.

    Raises:
        HomeNotInitializedError: there is no home, or it never registered anything.
    """
    layout = HomeLayout(settings.home_path)
    if not layout.database.exists():
        raise HomeNotInitializedError(
            f"{layout.root} is no home of Titledeed yet",
            next_step="Run `titledeed init`.",
            path=layout.root,
        )
    service = BackupService(
        layout=layout,
        version=version("titledeed"),
        copy_database=copy_database,
        clock=now,
        turn=lambda: _upkeep(layout),
    )
    with occupy(layout.occupancy, alone=False):
        return service.back_up(destination.absolute(), with_keys=with_keys, progress=progress)


def restore(source: Path, home: Path, progress: Progress = no_progress) -> BackupSummary:
    """Restore a home from a backup; see ``restore_backup``."""
    return restore_backup(
        source,
        home,
        check_database=check_database,
        move_signed_copies=lambda path, old, new: move_signed_copies(path, old=old, new=new),
        progress=progress,
    )


def check_home(settings: Settings, home: Path) -> None:
    """Try the database and the chain of a home that was just restored.

    Raises:
        StorageError: the database cannot be used.
        LedgerUnavailableError: the chain does not answer.
        ChainMismatchError: it is not the one that the home pins.
    """
    with open_registry(settings.model_copy(update={"home": home})) as registry:
        registry.check()


def _upkeep(layout: HomeLayout) -> AbstractContextManager[None]:
    return hold_lock(
        layout.upkeep, timeout_s=UPKEEP_TIMEOUT_S, purpose="that erases or backs up this home"
    )
