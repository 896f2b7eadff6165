"""``titledeed config``: the effective settings and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from titledeed_cli.exit_codes import ExitCode
from titledeed_cli.help_text import add_command
from titledeed_cli.invocation import JsonFlag, get_invocation
from titledeed_cli.output import SCHEMA_VERSION

if TYPE_CHECKING:
    from pydantic import BaseModel

app = typer.Typer()
group = typer.Typer(no_args_is_help=True)
app.add_typer(group, name="config", help="Show the settings.")


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting: its environment variable, its value (secrets masked), where that comes from."""

    variable: str
    value: str | int | None
    origin: str


@add_command(group, exits=(ExitCode.OK,))
def show(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show every setting, its value and its origin; secrets are masked.

    Settings are environment variables; docs/reference/settings.md explains them.

    Examples:
        titledeed config show
        TITLEDEED_API__PORT=9000 titledeed config show --json
    """
    invocation = get_invocation(context, as_json=as_json)
    output = invocation.output
    overridden = frozenset({"TITLEDEED_HOME"} if invocation.home else ())
    settings = list(list_settings(invocation.settings, overridden))
    home = str(invocation.settings.home_path)
    if as_json:
        output.write_json(
            {
                "schema_version": SCHEMA_VERSION,
                "home": home,
                "settings": [asdict(setting) for setting in settings],
            }
        )
        return
    output.write(f"home folder: {home}")
    output.write_table(
        ("variable", "value", "origin"),
        [(s.variable, "not set" if s.value is None else str(s.value), s.origin) for s in settings],
    )


def list_settings(
    settings: BaseModel, options: frozenset[str] = frozenset(), prefix: str = "TITLEDEED_"
) -> Iterator[EffectiveSetting]:
    """Every setting in the order of the code.

    Args:
        settings: the settings, or one group of them.
        options: variables that an option of the command line overrides.
        prefix: of the environment variables in this group.
    """
    from pydantic import BaseModel

    for name in type(settings).model_fields:
        value = getattr(settings, name)
        variable = prefix + name.upper()
        if isinstance(value, BaseModel):
            yield from list_settings(value, options, f"{variable}__")
            continue
        given = "environment" if name in settings.model_fields_set else "default"
        origin = "option" if variable in options else given
        yield EffectiveSetting(variable, _show_value(name, value), origin)


def _show_value(name: str, value: object) -> str | int | None:
    if value is None or isinstance(value, int):
        return value
    return mask_url(str(value)) if name.endswith("url") else str(value)


def mask_url(url: str) -> str:
    """A URL without what may be a key: user, path and query."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    has_secret = parts.username or parts.path.strip("/") or parts.query
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" + ("/***" if has_secret else "")
