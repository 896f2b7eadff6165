from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from titledeed.canonical.documents import INTEGER_MAX
from titledeed.errors import (
    DependencyError,
    InvariantViolation,
    MalformedMediaError,
    MediaTooLargeError,
    UnreadableInputError,
    UnsupportedMediaTypeError,
)
from titledeed.sandbox import Sandbox, SandboxLimits, network_isolated
from titledeed.sandbox.nursery import nursery

GIBIBYTE = 1 << 30


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(limits=SandboxLimits(timeout_s=30, memory_bytes_max=GIBIBYTE))


@pytest.fixture
def hasty() -> Sandbox:
    return Sandbox(limits=SandboxLimits(timeout_s=1, memory_bytes_max=GIBIBYTE))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.bin"
    path.write_text("content")
    return path


def test_job_reads_the_file_and_answers(sandbox: Sandbox, file: Path) -> None:
    told: list[tuple[str, float]] = []
    fields = sandbox.run(
        "sandbox_jobs:echo",
        file,
        {"depth": [1, None, "x"]},
        label="reading",
        progress=lambda label, fraction: told.append((label, fraction)),
    )
    assert fields.text("text") == "content"
    assert fields.child("arguments").has("depth")
    assert told == [("reading", 0.0), ("reading", 0.5)]
    assert fields.integer("pid") != os.getpid()


def test_long_arguments_and_answers_travel(sandbox: Sandbox, file: Path) -> None:
    fields = sandbox.run("sandbox_jobs:echo", file, {"blob": "x" * 3_000_000})
    assert len(fields.child("arguments").text("blob", length_max=3_000_000)) == 3_000_000


def test_each_run_has_its_own_process(sandbox: Sandbox, file: Path) -> None:
    pids = {sandbox.run("sandbox_jobs:echo", file, {}).integer("pid") for _ in range(3)}
    assert len(pids) == 3


def test_threads_share_the_sandbox(sandbox: Sandbox, file: Path) -> None:
    def run(number: int) -> int:
        fields = sandbox.run("sandbox_jobs:echo", file, {"number": number})
        return fields.child("arguments").integer("number")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(40))) == list(range(40))


def test_input_error_of_the_job_arrives_as_itself(sandbox: Sandbox, file: Path) -> None:
    with pytest.raises(UnsupportedMediaTypeError) as caught:
        sandbox.run("sandbox_jobs:refuse", file, {})
    assert caught.value.message == "file.bin: no media"
    assert caught.value.next_step == "Convert it."


def test_data_of_an_error_arrives_with_the_path_that_only_the_parent_knows(
    sandbox: Sandbox, file: Path
) -> None:
    with pytest.raises(MediaTooLargeError) as caught:
        sandbox.run("sandbox_jobs:measure", file, {})
    error = caught.value
    assert (error.limit, error.setting, error.path) == (7, "media.pixels_max", file)
    assert error.size == INTEGER_MAX, "more than a document can hold is cut, as long texts are"


def test_a_path_that_a_child_names_is_not_believed(sandbox: Sandbox, file: Path) -> None:
    with pytest.raises(MediaTooLargeError) as caught:
        sandbox.run("sandbox_jobs:misname", file, {"limit": 1})
    assert (caught.value.path, caught.value.limit) == (file, 1)


def test_data_of_another_kind_is_refused(sandbox: Sandbox, file: Path) -> None:
    with pytest.raises(MalformedMediaError, match="misbehaved"):
        sandbox.run("sandbox_jobs:misname", file, {"limit": "1"})


def test_hostile_file_name_stays_on_one_line(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "a\nb\x1b[31m.bin"
    file.touch()
    with pytest.raises(UnsupportedMediaTypeError) as caught:
        sandbox.run("sandbox_jobs:refuse", file, {})
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("job", ["conflict", "divide", "leave", "missing"])
def test_what_else_escapes_the_job_is_a_bug(sandbox: Sandbox, file: Path, job: str) -> None:
    with pytest.raises(InvariantViolation, match=f"sandbox_jobs:{job}"):
        sandbox.run(f"sandbox_jobs:{job}", file, {})


def test_bug_shows_its_traceback(sandbox: Sandbox, file: Path) -> None:
    with pytest.raises(InvariantViolation, match="ZeroDivisionError"):
        sandbox.run("sandbox_jobs:divide", file, {})


def test_missing_module_is_a_bug(sandbox: Sandbox, file: Path) -> None:
    with pytest.raises(InvariantViolation, match="ModuleNotFoundError"):
        sandbox.run("no_such_module:job", file, {})


@pytest.mark.parametrize("job", ["sleep", "spin"])
def test_time_limit_ends_the_child(hasty: Sandbox, file: Path, job: str) -> None:
    started = time.monotonic()
    with pytest.raises(MediaTooLargeError, match="longer than 1 s"):
        hasty.run(f"sandbox_jobs:{job}", file, {})
    assert time.monotonic() - started < 20


def test_memory_limit_ends_the_job(sandbox: Sandbox, file: Path) -> None:
    with pytest.raises(MediaTooLargeError, match="1024 MiB of memory"):
        sandbox.run("sandbox_jobs:devour", file, {})


def test_too_long_an_answer_is_refused(file: Path) -> None:
    limits = SandboxLimits(timeout_s=30, memory_bytes_max=GIBIBYTE, result_bytes_max=1_000)
    with pytest.raises(MediaTooLargeError, match="more data"):
        Sandbox(limits=limits).run("sandbox_jobs:babble", file, {})


def test_crash_of_the_decoder_blames_the_file(sandbox: Sandbox, file: Path) -> None:
    with pytest.raises(MalformedMediaError, match="SIGSEGV"):
        sandbox.run("sandbox_jobs:crash", file, {})


def test_forged_answer_is_refused(sandbox: Sandbox, file: Path) -> None:
    with pytest.raises(MalformedMediaError, match="misbehaved"):
        sandbox.run("sandbox_jobs:forge", file, {})


def test_child_sees_no_secret_and_reaches_nothing(
    sandbox: Sandbox, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nursery.close()
    monkeypatch.setenv("TITLEDEED_PASSPHRASE", "secret")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = {
            "secret": str(secret),
            "target": str(tmp_path / "written"),
            "port": str(server.getsockname()[1]),
        }
        seen = sandbox.run("sandbox_jobs:look", file, arguments)
    assert not [name for name in seen.texts("environment") if "TITLEDEED" in name]
    assert seen.text("main") == "none"
    assert seen.integer("descriptors") == 2
    assert not seen.boolean("writes")
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_bytes()
    if network_isolated():
        assert not seen.boolean("connects")
    if seen.boolean("confined_to_programs"):
        assert not seen.boolean("reads_secret")


@pytest.fixture
def unreadable(tmp_path: Path) -> dict[str, Path]:
    fifo, loop = tmp_path / "fifo", tmp_path / "loop"
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    return {
        "missing": tmp_path / "missing",
        "folder": tmp_path,
        "fifo": fifo,
        "device": Path("/dev/zero"),
        "loop": loop,
        "nul": tmp_path / "a\0b",
        "long": tmp_path / ("x" * 300),
    }


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "device", "loop", "nul", "long"])
def test_unreadable_path_is_refused(
    sandbox: Sandbox, unreadable: dict[str, Path], kind: str
) -> None:
    with pytest.raises(UnreadableInputError) as caught:
        sandbox.run("sandbox_jobs:echo", unreadable[kind], {})
    assert caught.value.next_step
    assert "\n" not in caught.value.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden_file_is_refused(sandbox: Sandbox, file: Path) -> None:
    file.chmod(0)
    with pytest.raises(UnreadableInputError, match="Permission denied"):
        sandbox.run("sandbox_jobs:echo", file, {})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda file: file.write_text("longer than it was"), "changed"),
        (lambda file: file.write_text(""), "changed"),
        (lambda file: file.unlink(), "vanished"),
        (lambda file: (file.parent / "new").replace(file), "vanished"),
    ],
    ids=["grows", "shrinks", "is deleted", "is replaced"],
)
def test_file_that_changes_while_read_is_refused(
    sandbox: Sandbox, file: Path, change: Callable[[Path], object], problem: str
) -> None:
    (file.parent / "new").write_text("another")

    def change_at_start(label: str, fraction: float) -> None:
        if fraction == 0:
            change(file)

    with pytest.raises(UnreadableInputError, match=problem):
        sandbox.run("sandbox_jobs:echo", file, {}, progress=change_at_start)


def test_interrupted_parent_leaves_no_child(sandbox: Sandbox, file: Path) -> None:
    pids: list[int] = []

    def interrupt(label: str, fraction: float) -> None:
        pids.extend(_children_of(_zygote_pid()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sandbox.run("sandbox_jobs:sleep", file, {}, progress=interrupt)
    assert pids
    _wait_until_gone(pids)


def test_killed_zygote_is_reported_and_replaced(sandbox: Sandbox, file: Path) -> None:
    def kill(label: str, fraction: float) -> None:
        if fraction:
            os.kill(_zygote_pid(), 9)

    with pytest.raises(DependencyError):
        sandbox.run("sandbox_jobs:sleep", file, {}, progress=kill)
    assert sandbox.run("sandbox_jobs:echo", file, {}).text("text") == "content"


def test_killed_parent_takes_everything_along(file: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "sys.path[:] = sys.argv[2:]\n"
        "from pathlib import Path\n"
        "from titledeed.sandbox import Sandbox, SandboxLimits\n"
        "print('started', flush=True)\n"
        "sandbox = Sandbox(limits=SandboxLimits(timeout_s=60, memory_bytes_max=1 << 30))\n"
        "sandbox.run('sandbox_jobs:sleep', Path(sys.argv[1]), {},\n"
        "            progress=lambda label, done: print('running', flush=True))\n"
    )
    paths = [str(Path(path).absolute()) for path in sys.path]
    with subprocess.Popen(
        [sys.executable, script, file, *paths], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        # One "started": the children did not run the script again.
        assert [parent.stdout.readline().strip() for _ in range(3)] == [
            "started",
            "running",
            "running",
        ]
        (zygote,) = _children_of(parent.pid)
        family = [zygote, *_children_of(zygote)]
        assert len(family) == 2
        parent.kill()
    _wait_until_gone(family)


def test_sandbox_works_after_a_fork(sandbox: Sandbox, file: Path) -> None:
    sandbox.run("sandbox_jobs:echo", file, {})
    zygote = _zygote_pid()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            sandbox.run("sandbox_jobs:echo", file, {})
            code = 0 if _zygote_pid() != zygote else 2
            nursery.close()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sandbox.run("sandbox_jobs:echo", file, {}).text("text") == "content"
    assert _zygote_pid() == zygote


def test_short_threads_may_start_the_zygote(sandbox: Sandbox, file: Path) -> None:
    nursery.close()
    thread = threading.Thread(target=lambda: sandbox.run("sandbox_jobs:echo", file, {}))
    thread.start()
    thread.join()
    zygote = _zygote_pid()
    assert sandbox.run("sandbox_jobs:echo", file, {}).text("text") == "content"
    assert _zygote_pid() == zygote


def _zygote_pid() -> int:
    return nursery.zygote().pid


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while alive := [pid for pid in pids if _is_running(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
