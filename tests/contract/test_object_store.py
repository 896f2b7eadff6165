"""What every place behind ``ports.ObjectStore`` promises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from simulation.faulty_store import FaultyStore

from titledeed.errors import InvalidRequestError, NotFoundError
from titledeed.ports import ObjectStore
from titledeed.store.objects import KEY_LENGTH_MAX, LocalObjectStore


def open_folder(folder: Path) -> ObjectStore:
    return LocalObjectStore(folder=folder / "new" / "objects")


def open_faulty(folder: Path) -> ObjectStore:
    """The one of unit tests, while nothing is wrong."""
    return FaultyStore(folder=folder / "new" / "objects")


ADAPTERS: dict[str, Callable[[Path], ObjectStore]] = {
    "folder": open_folder,
    "faulty": open_faulty,
}


@pytest.fixture(params=sorted(ADAPTERS))
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return ADAPTERS[request.param](tmp_path)


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 40_000], ids=len)
def test_object_comes_back_as_it_was_put(objects: ObjectStore, data: bytes) -> None:
    objects.put("dossiers/td1a.json", data)
    assert objects.get("dossiers/td1a.json") == data


def test_object_is_replaced(objects: ObjectStore) -> None:
    objects.put("dossiers/a.json", b"a longer first version")
    objects.put("dossiers/a.json", b"second")
    assert objects.get("dossiers/a.json") == b"second"
    assert objects.keys("dossiers") == ["dossiers/a.json"]


@pytest.mark.parametrize("key", ["dossiers/b.json", "nowhere/a.json", "dossiers", "a"])
def test_missing_object_is_not_found(objects: ObjectStore, key: str) -> None:
    objects.put("dossiers/a.json", b"1")
    with pytest.raises(NotFoundError):
        objects.get(key)


def test_names_under_a_prefix_are_sorted_and_complete(objects: ObjectStore) -> None:
    for key in ("bundles/b.json", "dossiers/c.json", "dossiers/a.json", "dossiers.txt"):
        objects.put(key, b"1")
    assert objects.keys("dossiers/") == ["dossiers/a.json", "dossiers/c.json"]
    assert objects.keys("dossiers") == objects.keys("dossiers/")
    assert objects.keys("thumbnails/") == []
    assert objects.keys("") == [
        "bundles/b.json",
        "dossiers.txt",
        "dossiers/a.json",
        "dossiers/c.json",
    ]


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../outside",
        "dossiers/../../outside",
        "dossiers/..",
        "/etc/passwd",
        "dossiers//a",
        "dossiers/",
        "dossiers/.hidden",
        ".staging/a",
        "a\\b",
        "a\0b",
        "a\n",
        "a b",
        "a#1",
        "~root",
        "%2e%2e/a",
        "é",
        "a" * (KEY_LENGTH_MAX + 1),
    ],
)
def test_name_that_could_lead_elsewhere_is_refused(
    objects: ObjectStore, key: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidRequestError):
        objects.put(key, b"1")
    with pytest.raises(InvalidRequestError):
        objects.get(key)
    with pytest.raises(InvalidRequestError):
        objects.delete(key)
    with pytest.raises(InvalidRequestError):
        objects.locate(key)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("prefix", ["..", "/", "/etc", "dossiers/..", ".staging"])
def test_prefix_that_could_lead_elsewhere_is_refused(objects: ObjectStore, prefix: str) -> None:
    with pytest.raises(InvalidRequestError):
        objects.keys(prefix)


def test_many_objects_are_put_like_each_alone(objects: ObjectStore) -> None:
    objects.put("dossiers/a.json", b"old")
    many = {f"dossiers/{number}.json": b"%d" % number for number in range(100)}
    objects.put_many({**many, "dossiers/a.json": b"new", "bundles/a/b.json": b""})
    assert objects.get("dossiers/a.json") == b"new"
    assert objects.get("bundles/a/b.json") == b""
    assert {key: objects.get(key) for key in many} == many
    assert len(objects.keys("")) == len(many) + 2
    objects.put_many({})
    assert len(objects.keys("")) == len(many) + 2


def test_one_bad_name_keeps_all_out(objects: ObjectStore, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InvalidRequestError):
        objects.put_many({"dossiers/a.json": b"1", "../outside": b"2"})
    assert sorted(tmp_path.rglob("*")) == before


def test_deleted_object_is_gone_and_its_absence_no_error(objects: ObjectStore) -> None:
    objects.put_many({"dossiers/a.json": b"1", "dossiers/b.json": b"2"})
    for _ in range(2):
        objects.delete("dossiers/a.json")
        assert objects.keys("") == ["dossiers/b.json"]
    objects.delete("nowhere/a.json")
    with pytest.raises(NotFoundError):
        objects.get("dossiers/a.json")
    objects.put("dossiers/a.json", b"3")
    assert objects.get("dossiers/a.json") == b"3"


def test_threads_that_put_one_key_leave_one_whole_object(objects: ObjectStore) -> None:
    versions = [bytes([number]) * 50_000 for number in range(16)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda data: objects.put("dossiers/a.json", data), versions))
    assert objects.get("dossiers/a.json") in versions
    assert objects.keys("") == ["dossiers/a.json"]


def test_object_has_a_place_before_it_exists(objects: ObjectStore) -> None:
    place = objects.locate("bundles/a.json")
    objects.put("bundles/a.json", b"1")
    assert objects.locate("bundles/a.json") == place
    assert place.endswith("bundles/a.json")
