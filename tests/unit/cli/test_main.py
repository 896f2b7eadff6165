from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from titledeed.errors import (
    ClaimSignatureError,
    InvalidRequestError,
    LedgerUnavailableError,
    ProofError,
    StorageError,
    VerificationError,
)
from titledeed_cli.invocation import Invocation, JsonFlag, get_invocation
from titledeed_cli.main import ErrorReportingGroup, app

RUNNER = CliRunner()


def app_that_raises(error: BaseException) -> typer.Typer:
    """A command line like ours whose one command fails."""
    failing = typer.Typer(cls=ErrorReportingGroup, pretty_exceptions_enable=False)

    @failing.callback()
    def prepare(context: typer.Context) -> None:
        context.obj = Invocation()

    @failing.command()
    def fail(context: typer.Context, as_json: JsonFlag = False) -> None:
        get_invocation(context, as_json=as_json)
        raise error

    return failing


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageError("the disk is full"), 1),
        (InvalidRequestError("these cannot go together"), 2),
        (VerificationError("it does not hold"), 12),
        (ClaimSignatureError("somebody else signed it"), 12),
        (ProofError("the path leads elsewhere"), 12),
        (LedgerUnavailableError("the chain is down"), 20),
    ],
)
def test_an_error_ends_with_its_code(error: Exception, code: int) -> None:
    done = RUNNER.invoke(app_that_raises(error), ["fail"])
    assert done.exit_code == code
    assert done.stderr == f"error: {error}\n"
    assert done.stdout == ""


def test_an_error_is_an_object_where_json_was_asked_for() -> None:
    error = StorageError("the disk is full", next_step="Free some space.")
    done = RUNNER.invoke(app_that_raises(error), ["fail", "--json"])
    assert json.loads(done.stdout) == {
        "schema_version": 1,
        "error": {
            "code": "storage",
            "message": "the disk is full",
            "next_step": "Free some space.",
        },
    }
    assert done.stderr == "error: the disk is full\nnext: Free some space.\n"


def test_interruption_ends_with_130() -> None:
    done = RUNNER.invoke(app_that_raises(KeyboardInterrupt()), ["fail"])
    assert done.exit_code == 130
    assert "interrupted" in done.stderr


def test_a_file_that_the_system_refuses_is_one_line() -> None:
    error = PermissionError(13, "Permission denied", "home/keys")
    done = RUNNER.invoke(app_that_raises(error), ["fail"])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: home/keys: Permission denied\nnext: ")


@pytest.mark.parametrize("arguments", [["config", "show"], ["config", "show", "--json"]])
def test_a_full_disk_behind_standard_output_ends_with_1(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "titledeed_cli.main", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: standard output: No space left on device\n")


def test_a_reader_who_has_seen_enough_gets_no_traceback() -> None:
    command = f"{sys.executable} -m titledeed_cli.main config show | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_bug_is_not_dressed_up_as_an_error() -> None:
    done = RUNNER.invoke(app_that_raises(AssertionError("a bug")), ["fail"])
    assert isinstance(done.exception, AssertionError)


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["verify"],
        ["register"],
        ["register", "x.mp4", "--source-type", "invented"],
        ["register", "x.mp4", "--oversight", "some"],
        ["chain", "serve", "--port", "70000"],
        ["--no-such-option"],
    ],
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str]) -> None:
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Error: " in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("TITLEDEED_API__PORT", "many", "TITLEDEED_API__PORT"),
        ("TITLEDEED_API__PORT", "70000", "TITLEDEED_API__PORT"),
        ("TITLEDEED_API__COLOUR", "red", "TITLEDEED_API__COLOUR"),
        ("TITLEDEED_API", "no json", "api"),
    ],
)
def test_a_bad_setting_is_one_line(variable: str, value: str, named: str) -> None:
    done = RUNNER.invoke(app, ["config", "show", "--json"], env={variable: value})
    assert done.exit_code == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "configuration"
    assert named in error["message"]
    assert done.stderr.splitlines() == [
        f"error: {error['message']}",
        f"next: {error['next_step']}",
    ]


def test_a_bad_setting_does_not_stop_the_help() -> None:
    done = RUNNER.invoke(app, ["--help"], env={"TITLEDEED_API__PORT": "many"})
    assert done.exit_code == 0


def test_the_version_is_printed() -> None:
    done = RUNNER.invoke(app, ["--version"])
    assert done.exit_code == 0
    assert done.stdout.startswith("titledeed 0.")


@pytest.mark.parametrize("arguments", [["--help"], ["register", "--help"], ["--version"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from titledeed_cli.main import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'web3', 'c2pa', 'av', 'numpy', 'sqlmodel', 'pydantic_settings'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_no_color_reaches_every_line() -> None:
    done = RUNNER.invoke(
        app, ["--no-color", "config", "show"], env={"FORCE_COLOR": "1", "API__PORT": "1"}
    )
    assert "\x1b[3" not in done.stdout
