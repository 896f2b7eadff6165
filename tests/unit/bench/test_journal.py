from __future__ import annotations

from pathlib import Path

from fingerprint_bench.journal import Journal


def open_journal(folder: Path, code: str = "x = 1") -> Journal:
    module = folder / "module.py"
    module.write_text(code)
    return Journal(folder / "kept", "run", sources=[folder])


def test_records_outlive_the_run(tmp_path: Path) -> None:
    open_journal(tmp_path).add("a", {"score": float("-inf")})
    journal = open_journal(tmp_path)
    assert "a" in journal and "b" not in journal
    assert journal["a"] == {"score": float("-inf")}


def test_half_a_line_of_a_killed_run_is_dropped(tmp_path: Path) -> None:
    open_journal(tmp_path).add("a", {"n": 1})
    (file,) = (tmp_path / "kept").iterdir()
    file.write_text(file.read_text() + '["b", {"n')
    journal = open_journal(tmp_path)
    assert "b" not in journal
    journal.add("b", {"n": 2})
    assert open_journal(tmp_path)["b"] == {"n": 2}


def test_changed_code_starts_anew(tmp_path: Path) -> None:
    open_journal(tmp_path).add("a", {"n": 1})
    assert "a" not in open_journal(tmp_path, code="x = 2")
