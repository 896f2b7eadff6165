"""The house: its rooms, what they may hold, and how much a reader must know to change a verb."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from titledeed.services.verification import VerificationService

CHECKOUT = Path(__file__).resolve().parents[2]
CORE = CHECKOUT / "registry"
SHIPPED = [CORE, CHECKOUT / "api", CHECKOUT / "cli", CHECKOUT / "scripts", CHECKOUT / "bench"]
MODULES_MAX = 20
VERIFY_MODULES_MAX = 40
VERIFY_COLLABORATORS_MAX = 5

FOLDERS = sorted({path.parent for root in SHIPPED for path in root.rglob("*.py")})
CORE_MODULES = sorted(
    path for path in (CORE / "titledeed").rglob("*.py") if "migrations" not in path.parts
)
ROOMS = [path for path in CORE_MODULES if path.name == "__init__.py"]


def relative(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("folder", FOLDERS, ids=relative)
def test_no_folder_is_crowded(folder: Path) -> None:
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MODULES_MAX


@pytest.mark.parametrize("path", ROOMS[1:], ids=relative)
def test_each_room_says_what_belongs_in_it_and_what_it_may_import(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert re.search(r"\bimport", said), "say what the room may import"
    assert len(said.split()) >= 15


def find(module: str) -> Path | None:
    """The file of a module or package of the core."""
    place = CORE.joinpath(*module.split("."))
    return next((p for p in (place / "__init__.py", place.with_suffix(".py")) if p.exists()), None)


def list_statements(nodes: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """What runs when a module is imported."""
    for node in nodes:
        is_for_types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if is_for_types or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield node
        yield from list_statements(
            [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
        )


def list_imports(module: str) -> set[str]:
    """The core's modules that a module imports, with the packages above them."""
    path = find(module)
    assert path is not None, module
    named: set[str] = set()
    for node in list_statements(ast.parse(path.read_text()).body):
        if isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
    names = [name.split(".") for name in named if name.partition(".")[0] == "titledeed"]
    uppers = {".".join(parts[:end]) for parts in names for end in range(1, len(parts) + 1)}
    return {name for name in uppers if find(name)}


def close_over(module: str) -> set[str]:
    """All modules of the core that importing one of them imports."""
    seen: set[str] = set()
    waiting = {module}
    while waiting:
        one = waiting.pop()
        seen.add(one)
        waiting |= list_imports(one) - seen
    return seen


def test_who_changes_verify_meets_few_modules() -> None:
    met = close_over("titledeed.services.verification")
    assert "titledeed.proofs.answers" in met
    assert len(met) <= VERIFY_MODULES_MAX, sorted(met)


def test_verify_takes_few_collaborators() -> None:
    taken = inspect.signature(VerificationService).parameters
    assert len(taken) <= VERIFY_COLLABORATORS_MAX, list(taken)


def list_constants(path: Path) -> Iterator[tuple[str, str]]:
    """Public constants of a module, and the expressions that give their values."""
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case _:
                continue
        if name.isupper() and not name.startswith("_"):
            yield name, ast.unparse(value)


def test_no_constant_of_the_core_has_two_values() -> None:
    values: dict[str, set[str]] = {}
    for path in CORE_MODULES:
        for name, value in list_constants(path):
            values.setdefault(name, set()).add(value)
    assert {name for name, found in values.items() if len(found) > 1} == set()


def test_no_class_of_the_core_has_two_meanings() -> None:
    places: dict[str, set[Path]] = {}
    for path in CORE_MODULES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, set()).add(path)
    assert {name for name, found in places.items() if len(found) > 1} == set()
