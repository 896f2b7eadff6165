"""Homes for tests, with everything real in them: keys, chain, credentials, database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from render_media import render_clip, render_picture

from titledeed.bootstrap import Adapters, Registry
from titledeed.bootstrap.homes import initialize_home
from titledeed.errors import TitledeedError
from titledeed.homes.layout import HomeLayout
from titledeed.models.disclosure import AssetDisclosure, DigitalSourceType
from titledeed.models.evidence import VerificationReport
from titledeed.models.primitives import Address
from titledeed.models.principal import Principal
from titledeed.models.registration import Visibility
from titledeed.ports import Progress, no_progress
from titledeed.services.acceptance import Statement
from titledeed.services.registration import RefusedFile, RegisteredFile, RegisterRequest
from titledeed.settings import ChainSettings, Settings

GENERATED: Final = DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA


def statement(
    *,
    title: str | None = None,
    source_type: DigitalSourceType = GENERATED,
    publish: bool = False,
    output: Path | None = None,
) -> Statement:
    """What a claimant says about a file."""
    return Statement(
        disclosure=AssetDisclosure(source_type),
        title=title,
        credits=(),
        visibility=Visibility.PUBLISHED if publish else Visibility.PRIVATE,
        output=output,
    )


@dataclass(frozen=True)
class Home:
    """An open home; ``adapters`` is for tests alone: the registry shows none of them."""

    registry: Registry
    settings: Settings
    adapters: Adapters

    @property
    def claimant(self) -> Address:
        return self.adapters.keys.address

    @property
    def owner(self) -> Principal:
        return self.registry.owner

    def register(
        self,
        *sources: Path,
        said: Statement | None = None,
        wait: bool = True,
        progress: Progress = no_progress,
    ) -> list[RegisteredFile | RefusedFile]:
        """One batch, as the command line registers it."""
        request = RegisterRequest(sources, said or statement(), wait)
        return self.registry.registration.register(request, self.owner, progress)

    def register_one(
        self, source: Path, *, said: Statement | None = None, wait: bool = True
    ) -> RegisteredFile:
        """One file that must be accepted."""
        (outcome,) = self.register(source, said=said, wait=wait)
        return accepted(outcome)

    def verify(self, path: Path, principal: Principal | None = None) -> VerificationReport:
        """As the owner of the home sees it, unless somebody else asks."""
        return self.registry.verification.verify(path, principal or self.owner)

    def signed_files(self) -> list[Path]:
        """All that lies among the signed copies, half-written files included."""
        return sorted(p for p in self.registry.layout.signed.rglob("*") if p.is_file())


def accepted(outcome: RegisteredFile | RefusedFile) -> RegisteredFile:
    """The registration, or the error that prevented it."""
    if isinstance(outcome, RefusedFile):
        raise outcome.error
    return outcome


def refused(outcome: RegisteredFile | RefusedFile) -> TitledeedError:
    """The error of a file that must not be registered."""
    assert isinstance(outcome, RefusedFile), outcome
    return outcome.error


def signed_copy(outcome: RegisteredFile) -> Path:
    """Where the signed copy of a file lies that has one."""
    assert outcome.registration.signed_path is not None
    return Path(outcome.registration.signed_path)


def copy_of(outcome: RegisteredFile, path: Path) -> Path:
    """The signed copy, outside the home."""
    path.write_bytes(signed_copy(outcome).read_bytes())
    return path


def share(exporter: Home, importer: Home, folder: Path) -> None:
    """Let one home know what another published."""
    exporter.registry.snapshots.export(folder / "shared.snapshot", exporter.owner)
    importer.registry.snapshots.import_(folder / "shared.snapshot")


@contextmanager
def opened(settings: Settings) -> Iterator[Home]:
    """A home that is there already."""
    adapters = Adapters(settings)
    with Registry(settings, adapters) as registry:
        yield Home(registry, settings, adapters)


@contextmanager
def home_beside(neighbour: Home, folder: Path, *, organization: str) -> Iterator[Home]:
    """Another claimant's home on the development chain, and the paying account, of a first."""
    theirs, layout = neighbour.registry.layout, HomeLayout(folder)
    layout.sender_key.parent.mkdir(parents=True)
    layout.chain.symlink_to(theirs.chain)
    shutil.copy(theirs.passphrase_file, layout.passphrase_file)
    shutil.copy(theirs.sender_key, layout.sender_key)
    with new_home(folder, organization=organization) as home:
        yield home


@contextmanager
def new_home(folder: Path, *, organization: str = "Test Studio") -> Iterator[Home]:
    """A new home; making it takes seconds."""
    settings = Settings(home=folder)
    initialize_home(settings, organization=organization)
    with opened(settings) as home:
        yield home


@contextmanager
def copied_home(home: Home, folder: Path) -> Iterator[Home]:
    """The home as it is now, to be spoilt."""
    shutil.copytree(home.registry.layout.root, folder)
    with opened(home.settings.model_copy(update={"home": folder})) as copy:
        yield copy


@contextmanager
def without_chain(home: Home) -> Iterator[Home]:
    """The same home while no chain answers."""
    nowhere = ChainSettings(rpc_url="http://127.0.0.1:1", rpc_timeout_s=1)
    with opened(home.settings.model_copy(update={"chain": nowhere})) as chainless:
        yield chainless


@dataclass(frozen=True)
class Studio:
    """A home that registered a clip, a WebM and a picture in one batch."""

    home: Home
    sources: Path
    clip: RegisteredFile
    webm: RegisteredFile
    picture: RegisteredFile

    @property
    def batch(self) -> tuple[RegisteredFile, ...]:
        return (self.clip, self.webm, self.picture)

    @property
    def signed_clip(self) -> Path:
        return signed_copy(self.clip)


@contextmanager
def new_studio(folder: Path) -> Iterator[Studio]:
    """Registers 6 s of video, 3 s of WebM and a picture, all private."""
    sources = folder / "sources"
    sources.mkdir()
    render_clip(sources / "clip.mp4", seconds=6, seed=1)
    render_clip(sources / "plain.webm", seconds=3, seed=2)
    render_picture(sources / "still.png", seed=3)
    with new_home(folder / "home") as home:
        clip, webm, picture = map(accepted, home.register(sources))
        yield Studio(home, sources, clip, webm, picture)
