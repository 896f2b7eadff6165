"""Rendering of pages: everything is escaped, an unknown name is an error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from titledeed.proofs.times import format_time

PAGES: Final = Path(__file__).parent / "pages"
STATIC: Final = Path(__file__).parent / "static"

_environment = Environment(
    loader=FileSystemLoader(PAGES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters["time"] = format_time
_environment.filters["iso_time"] = lambda text: format_time(
    int(datetime.fromisoformat(text).timestamp())
)


def render_page(
    name: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Render one page of ``pages/``."""
    text = _environment.get_template(name).render(values)
    return HTMLResponse(text, status, {"Vary": "Accept", **(headers or {})})
