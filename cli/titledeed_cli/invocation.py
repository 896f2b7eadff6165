"""One invocation: the global options, the settings read once, the registry opened late."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from titledeed.errors import ConfigurationError
from titledeed_cli.output import Output

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from titledeed.bootstrap import Registry
    from titledeed.settings import Settings

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print JSON on standard output, for programs.")
]


@dataclass
class Invocation:
    """What the global options say."""

    home: Path | None = None
    quiet: bool = False
    no_color: bool = False
    output: Output = field(init=False)

    def __post_init__(self) -> None:
        self.use_json(as_json=False)

    def use_json(self, *, as_json: bool) -> None:
        """What the command's own ``--json`` says."""
        self.output = Output(as_json=as_json, quiet=self.quiet, no_color=self.no_color)

    @cached_property
    def settings(self) -> Settings:
        """The settings of this run.

        Raises:
            ConfigurationError: an environment variable does not fit.
        """
        # pydantic costs a third of the start-up time that help and errors are allowed.
        from pydantic import ValidationError
        from pydantic_settings import SettingsError

        from titledeed.settings import Settings

        try:
            return Settings() if self.home is None else Settings(home=self.home)
        except ValidationError as error:
            raise _explain(error.errors()[0]) from error
        except SettingsError as error:
            raise ConfigurationError(
                f"the environment cannot be read: {error}",
                next_step="Correct or unset it; docs/reference/settings.md lists every variable.",
            ) from error

    def unlock(self) -> None:
        """Ask a terminal for the passphrase that neither the environment nor a file gives.

        For work that signs; without a terminal the key itself complains when it is used.
        """
        from pydantic import SecretStr

        from titledeed.homes.layout import HomeLayout

        settings = self.settings
        layout = HomeLayout(settings.home_path)
        is_given = (
            settings.passphrase or settings.passphrase_file or layout.passphrase_file.exists()
        )
        if not is_given and layout.claimant_key.exists() and sys.stdin.isatty():
            passphrase = typer.prompt("Passphrase", hide_input=True, err=True)
            self.settings = settings.model_copy(update={"passphrase": SecretStr(passphrase)})

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """The registry in the home folder."""
        from titledeed.bootstrap import open_registry

        with open_registry(self.settings) as registry:
            yield registry


def get_invocation(context: typer.Context, *, as_json: bool = False) -> Invocation:
    """The invocation that the root command prepared."""
    invocation = context.find_object(Invocation)
    if invocation is None:
        raise AssertionError("the root command prepares the invocation")
    invocation.use_json(as_json=as_json)
    return invocation


def _explain(detail: ErrorDetails) -> ConfigurationError:
    # The rejected value is not repeated: it may be a secret.
    variable = "TITLEDEED_" + "__".join(str(part) for part in detail["loc"]).upper()
    return ConfigurationError(
        f"{variable}: {detail['msg']}",
        next_step="Correct or unset it; docs/reference/settings.md gives its bounds.",
        setting=variable,
    )
