"""The page about the house says what the tree says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from titledeed import ports

CHECKOUT = Path(__file__).resolve().parents[2]
CORE = CHECKOUT / "registry" / "titledeed"
PAGE = (CHECKOUT / "docs" / "explanation" / "architecture.md").read_text()
GUIDES = [CHECKOUT / "CONTRIBUTING.md", CHECKOUT / "README.md"]

DRAWING = re.findall(r"^│ (.*?) *│$", PAGE, re.M)
ROOMS = dict(re.findall(r"^\| `([\w/.]+)` \| .*? \| (.*?) \|$", PAGE, re.M))
TOLD = re.findall(r"`([^`\n]+)`", PAGE)
PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml)")
NAMED = re.findall(r"`([\w/]+\.py)`\s+((?:`[\w.]+`(?:,? and |, )?)+)", PAGE)
SYMBOL = re.compile(r"[A-Z]\w*(?:\.\w+)?")


def read_layers() -> list[set[str]]:
    """What import-linter holds, highest first."""
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (c["layers"] for c in contracts if c["name"] == "Imports run one way")
    return [
        {name.strip().removeprefix("titledeed.") for name in layer.split("|")} for layer in layers
    ]


LAYERS = read_layers()


def draw_layers() -> list[set[str]]:
    """What the page draws; a line that ends with a bar goes on."""
    lines = re.sub(r"\|\n", "| ", "\n".join(DRAWING)).splitlines()
    names = (re.split(r" {2,}", line, maxsplit=1)[0] for line in lines)
    return [{name.strip() for name in line.split("|")} for line in names]


def test_the_drawing_shows_the_layers_that_are_held() -> None:
    assert draw_layers() == LAYERS


def test_every_room_has_a_row_and_every_row_a_room() -> None:
    folders = {f"{path.parent.relative_to(CORE)}/" for path in CORE.rglob("*/__init__.py")}
    modules = {path.name for path in CORE.glob("*.py") if path.name != "__init__.py"}
    assert set(ROOMS) == folders | modules


def list_imports(room: str) -> set[str]:
    """Rooms of the core that a room imports, wherever in its modules."""
    place = CORE / room
    imported: set[str] = set()
    for path in [place] if place.is_file() else place.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("titledeed."):
                imported.add((node.module or "").split(".")[1])
    return imported - {room.strip("/").removesuffix(".py")}


@pytest.mark.parametrize("room", sorted(room for room in ROOMS if "/" not in room.strip("/")))
def test_a_room_imports_what_its_row_allows(room: str) -> None:
    own = next(
        at for at, layer in enumerate(LAYERS) if room.strip("/").removesuffix(".py") in layer
    )
    below = set().union(*LAYERS[own + 1 :])
    allowed = below if ROOMS[room] == "all below" else set(re.findall(r"`(\w+)`", ROOMS[room]))
    assert list_imports(room) <= allowed <= below


def find(path: str) -> Path | None:
    """A path of the page, from the core or from the checkout."""
    return next((root / path for root in (CORE, CHECKOUT) if (root / path).exists()), None)


@pytest.mark.parametrize("path", sorted({name for name in TOLD if PATH.fullmatch(name)}))
def test_every_path_exists(path: str) -> None:
    assert find(path)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_every_path_of_the_guides_exists(guide: Path) -> None:
    text = re.sub(r"```.*?```", "", guide.read_text(), flags=re.S)
    told = set(re.findall(r"`([^`\n ]+)", text)) | set(re.findall(r"\]\(([^)#:]+)\)", text))
    assert {path for path in told if PATH.fullmatch(path) and not find(path)} == set()


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", PAGE))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (CHECKOUT / "docs" / "explanation" / link).exists()


def iter_named() -> Iterator[tuple[str, str]]:
    """Each function, class or method, with the module that the page says it is in."""
    for path, names in NAMED:
        for name in re.findall(r"`([\w.]+)`", names):
            if not PATH.fullmatch(name):
                yield path, name


def resolve(path: str, name: str) -> object:
    """What a name of a module stands for; None for nothing."""
    file = find(path)
    assert file, path
    roots = (CORE.parent, CHECKOUT / "api", CHECKOUT / "cli")
    root = next(root for root in roots if file.is_relative_to(root))
    found: object = import_module(".".join(file.relative_to(root).with_suffix("").parts))
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def test_every_function_is_where_the_page_says() -> None:
    assert [pair for pair in iter_named() if resolve(*pair) is None] == []


def test_every_other_name_is_a_port_or_of_a_class_placed_elsewhere() -> None:
    places = {name.partition(".")[0]: path for path, name in iter_named()}
    told = {name for name in TOLD if SYMBOL.fullmatch(name)} - set(ports.__all__)
    unknown = {
        name
        for name in told
        if name.partition(".")[0] not in places
        or resolve(places[name.partition(".")[0]], name) is None
    }
    assert unknown == set()


def test_every_port_that_is_crossed_is_one() -> None:
    crossed = set(re.findall(r"\b[Pp]ort\s+`(\w+)`", PAGE))
    assert len(crossed) >= 10
    assert crossed <= set(ports.__all__)


def test_the_walks_name_what_they_pass() -> None:
    assert len(list(iter_named())) >= 40
