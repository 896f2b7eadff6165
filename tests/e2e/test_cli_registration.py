"""The command line on registrations: lists, deeds, withdrawals, and what verification says then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import HOSTILE, Home
from media_factory import render_picture

pytestmark = pytest.mark.chain

UNKNOWN = "td1" + "a" * 32


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("registrations") / "home")
    assert home.run("init").code == 0
    return home


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def registered(home: Home, folder: Path) -> list[dict[str, Any]]:
    """Eight pictures; each test that changes one takes its own."""
    sources = folder / "sources"
    sources.mkdir()
    for number in range(8):
        render_picture(sources / f"{number}.png", seed=700 + number)
    done = home.run("register", sources, "--publish", "--json")
    assert done.code == 0, done.err
    return sorted(done.documents, key=lambda document: str(document["title"]))


@pytest.fixture(scope="module")
def ids(registered: list[dict[str, Any]]) -> list[str]:
    return [document["registration_id"] for document in registered]


def test_the_list_is_newest_first_and_bounded(home: Home, ids: list[str]) -> None:
    done = home.run("registration", "list", "--json")
    listed = [one["registration_id"] for one in done.document["registrations"]]
    assert sorted(listed) == sorted(ids)
    first = home.run("registration", "list", "--limit", "3", "--json")
    assert [one["registration_id"] for one in first.document["registrations"]] == listed[:3]
    table = home.run("registration", "list").out
    assert all(registration_id in table for registration_id in ids)


def test_the_list_can_be_narrowed_to_a_status(home: Home, ids: list[str]) -> None:
    assert (
        home.run("registration", "list", "--status", "pending", "--json").document["registrations"]
        == []
    )
    wrong = home.run("registration", "list", "--status", "lost")
    assert wrong.code == 2


def test_one_is_shown_by_the_beginning_of_its_id(home: Home, ids: list[str]) -> None:
    done = home.run("registration", "show", ids[0][:12], "--json")
    assert done.code == 0
    assert done.document["registration_id"] == ids[0]
    assert Path(done.document["bundle_path"]).is_file()
    shown = home.run("registration", "show", ids[0])
    for part in (ids[0], done.document["content_sha256"], done.document["bundle_path"]):
        assert part in shown.out


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (UNKNOWN, 1, "there is no registration"),
        ("td1", 2, "neither a registration id nor the beginning"),
        (HOSTILE, 2, "neither a registration id nor the beginning"),
    ],
)
def test_an_id_that_names_nothing_is_an_error(
    home: Home, ids: list[str], text: str, code: int, message: str
) -> None:
    for command in ("show", "history"):
        done = home.run("registration", command, text, "--json")
        assert (done.code, message in done.err) == (code, True)
        assert "error" in done.document


def test_a_withdrawal_is_recorded_once_and_told_by_verify(
    home: Home, registered: list[dict[str, Any]]
) -> None:
    registration_id, signed = registered[1]["registration_id"], registered[1]["signed_path"]
    done = home.run("registration", "withdraw", registration_id, "--yes", "--json")
    assert done.code == 0, done.err
    (act,) = done.document["acts"]
    assert (act["kind"], act["created"]) == ("withdrawn", True)
    again = home.run("registration", "withdraw", registration_id, "--yes", "--json")
    assert again.document["acts"] == [{**act, "created": False}]
    found = home.run("verify", signed, "--json")
    assert found.code == 0
    assert ", withdrawn on 20" in found.document["sentence"]
    (entry,) = found.document["claims"][0]["entries"]
    assert (entry["kind"], entry["counts"], entry["sequence"]) == (
        "withdrawn",
        True,
        act["sequence"],
    )
    assert "withdrawn" in home.run("registration", "list").out
    for_people = home.run("verify", signed).out
    assert "What the chain says about these claims since" in for_people


def test_what_cannot_be_undone_is_asked_on_a_terminal(home: Home, ids: list[str]) -> None:
    declined = home.run_on_terminal("n", "registration", "withdraw", ids[2])
    assert declined.code == 1
    assert "This cannot be undone" in declined.err
    history = home.run("registration", "history", ids[2], "--json")
    assert history.document["entries"] == []
    agreed = home.run_on_terminal("y", "registration", "withdraw", ids[2])
    assert agreed.code == 0
    assert agreed.out.startswith("recorded: withdrawn")


def test_what_an_issue_fixes_for_ever_is_said_before(home: Home, ids: list[str]) -> None:
    terms = ("--royalty", "2.5", "--parent", ids[4])
    declined = home.run_on_terminal("n", "registration", "issue", ids[3], *terms)
    assert declined.code == 1
    said = " ".join(declined.err.split())
    assert f"For ever it has a royalty of 2.5 % and the parents {ids[4]}." in said
    plain = home.run_on_terminal("n", "registration", "issue", ids[3])
    assert "For ever it has no royalty and no parents." in " ".join(plain.err.split())


@pytest.mark.parametrize("command", ["withdraw", "issue"])
def test_without_a_terminal_it_must_be_said(home: Home, ids: list[str], command: str) -> None:
    done = home.run("registration", command, ids[3])
    assert done.code == 2
    assert "Say --yes" in done.err


def test_a_deed_with_a_parent_that_is_then_confirmed(home: Home, ids: list[str]) -> None:
    parent, child = ids[4], ids[5]
    assert home.run("registration", "issue", parent, "--royalty", "7.5", "--yes").code == 0
    issued = home.run("registration", "issue", child, "--parent", parent[:12], "--yes", "--json")
    assert issued.code == 0, issued.err
    history = home.run("registration", "history", child)
    assert "(claimed only)" in history.out
    assert home.run("registration", "confirm", parent, child).code == 0
    assert "(confirmed)" in home.run("registration", "history", child).out
    assert "with a royalty of 7.5 %" in home.run("registration", "history", parent).out
    other = home.run("registration", "issue", parent, "--royalty", "5", "--yes")
    assert other.code == 1
    said = " ".join(other.err.split())
    assert "has a deed already, with a royalty of 7.5 % and no parents, since 20" in said
    assert "and not a royalty of 5 % and no parents" in said


def test_a_royalty_has_two_decimals(home: Home, ids: list[str]) -> None:
    done = home.run("registration", "issue", ids[3], "--royalty", "1.234", "--yes")
    assert done.code == 2
    assert "at most two decimals" in done.err


def test_events_and_a_successor(home: Home, ids: list[str], folder: Path) -> None:
    document = folder / "programme.txt"
    document.write_text("programme")
    recorded = home.run("registration", "event", ids[6], "screened", "--document", document)
    assert recorded.code == 0
    assert "The sender paid the gas" in recorded.err
    again = home.run("registration", "event", ids[6], "screened", "--document", document)
    assert again.out.startswith("on record already: screened")
    assert home.run("registration", "supersede", ids[6], ids[7], "--yes").code == 0
    kinds = [
        entry["kind"]
        for entry in home.run("registration", "history", ids[6], "--json").document["entries"]
    ]
    assert kinds == ["screened", "superseded"]


def test_bindings_are_published(home: Home, ids: list[str]) -> None:
    url = "https://registry.example/v1"
    done = home.run("registration", "publish-binding", ids[7], url, "--yes", "--json")
    assert done.code == 0, done.err
    assert {act["kind"] for act in done.document["acts"]} == {"binding_published"}


def test_a_refusal_is_an_object_too(home: Home, ids: list[str]) -> None:
    done = home.run("registration", "supersede", ids[0], ids[0], "--yes", "--json")
    assert done.code == 2
    assert done.document["error"]["code"] == "invalid_request"
