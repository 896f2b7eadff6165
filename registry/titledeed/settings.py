"""Settings, read once by a face and handed to ``bootstrap``; nothing else imports them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


class SandboxSettings(BaseModel):
    """Limits of the child processes that touch untrusted media."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_s: Annotated[int, Field(ge=1, le=86_400)] = 3_600
    """Processor and wall time for one file; a 100-minute film needs some minutes."""
    memory_bytes_max: Annotated[int, Field(ge=256 * MEBIBYTE)] = 3_072 * MEBIBYTE
    """Address space of one child."""


class MediaSettings(BaseModel):
    """Limits on media."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_bytes_max: Annotated[int, Field(ge=1)] = 64 * 1024 * MEBIBYTE
    pixels_max: Annotated[int, Field(ge=1, le=2**30)] = 120_000_000
    """Per frame; a PNG of 30,000 x 30,000 is refused before it is decoded."""
    duration_s_max: Annotated[int, Field(ge=1)] = 12 * 3_600


class ChainSettings(BaseModel):
    """Which chain to anchor on; without a URL the home runs its own development chain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rpc_url: str | None = None
    contract: str | None = None
    first_block: Annotated[int, Field(ge=0)] | None = None
    """Where following begins, for a chain whose node cannot tell when the contract was made."""
    inclusion_timeout_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    rpc_timeout_s: Annotated[int, Field(ge=1, le=600)] = 20
    safe_confirmations: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Blocks on top after which an anchor is called safe; by default 0 on a development chain, 32
    on any other."""
    final_confirmations: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """The same for final; by default 0 and 96."""
    replace_after_s: Annotated[int, Field(ge=1, le=86_400)] = 90
    """A transaction that no block holds after so long is sent again with higher fees."""
    in_flight_max: Annotated[int, Field(ge=1, le=500)] = 16
    """Transactions sent and not yet in a block; more wait their turn."""
    batch_wait_s: Annotated[int, Field(ge=0, le=86_400)] = 0
    """How long a registration may wait for others to share its anchor."""
    waiting_max: Annotated[int, Field(ge=1)] = 1_000_000
    """Registrations that may wait for an anchor; beyond it, new ones are refused for a while."""


class TimestampSettings(BaseModel):
    """A time-stamp authority (RFC 3161) that is asked once for each anchor, if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = None
    timeout_s: Annotated[int, Field(ge=1, le=600)] = 20


class ApiSettings(BaseModel):
    """The HTTP server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8_765
    upload_bytes_max: Annotated[int, Field(ge=1)] = 4 * 1024 * MEBIBYTE
    wait_s_max: Annotated[int, Field(ge=0, le=600)] = 60
    """How long ``Prefer: wait`` may keep a request open."""


class Settings(BaseSettings):
    """All settings; environment variables are ``TITLEDEED_`` and, nested, ``__``."""

    model_config = SettingsConfigDict(
        env_prefix="TITLEDEED_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
    )

    home: Path = Path("~/.titledeed")
    """The folder that holds everything."""
    passphrase: SecretStr | None = None
    """Opens the keys; else ``passphrase_file``, else the file that ``init`` wrote."""
    passphrase_file: Path | None = None
    sandbox: SandboxSettings = SandboxSettings()
    media: MediaSettings = MediaSettings()
    chain: ChainSettings = ChainSettings()
    timestamp: TimestampSettings = TimestampSettings()
    api: ApiSettings = ApiSettings()

    @property
    def home_path(self) -> Path:
        """The home folder, expanded and absolute."""
        return self.home.expanduser().absolute()
