"""House rules that a reader would otherwise have to remember."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from titledeed.bootstrap import Registry
from titledeed.models.evidence import ChainIdentity
from titledeed.models.principal import Principal

CHECKOUT = Path(__file__).resolve().parents[2]
MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
BLOB_BYTES_MAX = 400_000
BANNED_MODULE_NAMES = {"utils", "util", "helpers", "common", "misc", "manager"}
NEVER_SAID = re.compile(r"\b(authentic|fake|verified owner|owner verified|human made)\b", re.I)


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    paths = (CHECKOUT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.is_file()]


FILES = tracked_files()
MODULES = [p for p in FILES if p.suffix == ".py"]
SHIPPED = [p for p in FILES if p.relative_to(CHECKOUT).parts[0] in {"registry", "api", "cli"}]


def relative(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_and_functions_keep_their_budgets(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MODULE_LINES_MAX
    long = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_solidity_files_keep_the_module_budget() -> None:
    long = [
        p
        for p in FILES
        if p.suffix == ".sol" and len(p.read_text().splitlines()) > MODULE_LINES_MAX
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [relative(p) for p in MODULES if p.stem in BANNED_MODULE_NAMES] == []


def test_a_class_of_the_faces_or_the_audit_is_named_like_no_other() -> None:
    names: dict[str, list[str]] = {}
    for path in SHIPPED:
        if path.suffix == ".py":
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    names.setdefault(node.name, []).append(relative(path))
    rooms = tuple(f"registry/titledeed/{room}/" for room in ("audit", "policy", "timeline"))
    repeated = {
        name: places
        for name, places in names.items()
        if len(places) > 1 and any(place.startswith(("api/", "cli/", *rooms)) for place in places)
    }
    assert repeated == {}


@pytest.mark.parametrize("folder", ["registry", "api", "cli"])
def test_source_roots_are_no_packages(folder: str) -> None:
    assert not (CHECKOUT / folder / "__init__.py").exists()


def test_every_package_folder_has_an_init_with_a_docstring() -> None:
    folders = {p.parent for p in SHIPPED if p.suffix == ".py"}
    roots = {"titledeed", "titledeed_api", "titledeed_cli"}
    packages = [f for f in folders if roots & set(f.relative_to(CHECKOUT).parts)]
    missing = [
        relative(f)
        for f in packages
        if "versions" not in f.parts
        and "migrations" not in f.parts
        and not (
            (f / "__init__.py").exists()
            and ast.get_docstring(ast.parse((f / "__init__.py").read_text()))
        )
    ]
    assert missing == []


def test_only_text_of_moderate_size_is_tracked() -> None:
    large = [
        relative(p)
        for p in FILES
        if p.stat().st_size > BLOB_BYTES_MAX and p.name not in {"uv.lock", "package-lock.json"}
    ]
    assert large == []


def test_nothing_shipped_says_more_than_a_registry_can_know() -> None:
    said = [
        f"{relative(p)}: {match.group()}"
        for p in SHIPPED
        if p.suffix in {".py", ".j2", ".html", ".js", ".yaml"}
        for match in NEVER_SAID.finditer(p.read_text())
    ]
    assert said == []


def test_no_path_of_a_development_machine_is_tracked() -> None:
    pattern = re.compile(r"(^|[^\w.\-])/(work|root|home/(?!titledeed)\w+)/")
    found = [
        relative(p)
        for p in FILES
        if p.suffix in {".py", ".sol", ".md", ".toml", ".yml", ".yaml", ".json", ".js", ".html"}
        and p != Path(__file__)
        and pattern.search(p.read_text())
    ]
    assert found == []


def test_the_readme_is_short() -> None:
    assert len((CHECKOUT / "README.md").read_text().splitlines()) <= 200


def public_types(owner: type) -> dict[str, object]:
    """What the public attributes of a class give, by name; None for those that give nothing."""
    found: dict[str, object] = {}
    for name in (name for name in dir(owner) if not name.startswith("_")):
        member = inspect.getattr_static(owner, name)
        getter = getattr(member, "fget", None) or getattr(member, "func", None) or member
        found[name] = getter.__globals__.get(getter.__annotations__["return"])
    return found


def test_faces_are_given_services_only() -> None:
    """An adapter in their hands could be asked past every check of who may see what."""
    services = ("titledeed.services.", "titledeed.anchoring.")
    others = {
        name: given
        for name, given in public_types(Registry).items()
        if not getattr(given, "__module__", "").startswith(services)
    }
    assert others == {
        "chain_identity": ChainIdentity,
        "check": None,
        "close": None,
        "load_all": None,
        "owner": Principal,
        "serve_chain": None,
        "warm_up": None,
    }


def test_faces_ask_nothing_that_services_share() -> None:
    """Whoever asks these has checked who may see what, or need not."""
    shared = {"claims", "acceptance", "completion", "sending"}
    asked = {
        (relative(path), node.attr)
        for path in SHIPPED
        if path.suffix == ".py" and path.relative_to(CHECKOUT).parts[0] in {"api", "cli"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("registry")
    }
    assert {attribute for _, attribute in asked} >= {"registration", "verification"}
    assert {one for one in asked if one[1] in shared} == set()


def test_faces_ask_bootstrap_for_no_adapter() -> None:
    allowed = {"Registry", "open_registry", "make_examiner", "index_works"}
    taken = {
        (relative(path), alias.name)
        for path in SHIPPED
        if path.suffix == ".py" and path.relative_to(CHECKOUT).parts[0] in {"api", "cli"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("titledeed.bootstrap")
        and node.module != "titledeed.bootstrap.homes"
        for alias in node.names
    }
    assert {name for _, name in taken} <= allowed, taken
