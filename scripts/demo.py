"""The main job from end to end, on media that this script renders itself.

    make demo                      into ./demo-output, which it replaces
    python scripts/demo.py DIR     into DIR

It calls the `titledeed` command as a person would: register three clips in one batch, verify a
cut of one, publish, hand a snapshot to an auditor's home, and audit a film there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import render_media
import yaml

CLIP_SECONDS: Final = 10.0
FRAME_RATE: Final = 24
SIZE: Final = (640, 360)
TITLES: Final = ("harbour", "meadow", "nightfall")
INCONSISTENT: Final = 16


def main() -> int:
    """Run the demo; returns the exit code."""
    started = time.monotonic()
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-output").absolute()
    if (folder / "DEMO").exists():
        shutil.rmtree(folder)
    elif folder.exists():
        print(f"{folder} exists and is no demo folder; choose another.", file=sys.stderr)
        return 2
    folder.mkdir(parents=True)
    (folder / "DEMO").touch()
    studio, auditor = folder / "studio-home", folder / "auditor-home"

    say("1. Rendering three clips, a cut of one, and a film")
    clips = render_clips(folder / "clips")
    say("2. The studio registers all three in one batch")
    titledeed(studio, "init", "--organization", "Demo Studio", "--json")
    registered = register(studio, folder / "clips")
    say("3. Somebody strips the credentials, cuts 4 s out of the middle, scales and re-encodes it")
    cut = cut_copy(Path(registered[0]["signed_path"]), folder / "downloaded.mp4")
    say("4. Verifying the cut")
    verdict = titledeed(studio, "verify", str(cut), "--json")
    print_matches(verdict)
    say("5. The studio hands a snapshot of what it published to a festival")
    snapshot = folder / "published.titledeed-snapshot"
    titledeed(studio, "snapshot", "export", str(snapshot), "--json")
    titledeed(auditor, "init", "--organization", "Demo Festival", "--json")
    titledeed(auditor, "snapshot", "import", str(snapshot), "--json")
    say("6. The festival audits a film whose disclosure leaves one clip out")
    submission = build_submission(folder / "submission", clips, registered)
    audit = titledeed(auditor, "audit", str(submission), "--json", expect=INCONSISTENT)

    print(f"\nVerdict on the cut:   {verdict['sentence']}")
    print(f"Verdict on the film:  {audit['sentence']}")
    print(f"Findings:             {', '.join(f['code'] for f in audit['findings'])}")
    print(f"HTML report:          {audit['html_path']}")
    print(f"Evidence bundle:      {registered[0]['bundle_path']}")
    print(f"Done in {time.monotonic() - started:.0f} s.")
    return 0


def say(text: str) -> None:
    """Announce a step."""
    print(f"\n== {text}", flush=True)


def render_clips(folder: Path) -> list[Path]:
    """Three clips that look nothing like each other."""
    folder.mkdir()
    return [
        render_media.render_clip(
            folder / f"{title}.mp4", seconds=CLIP_SECONDS, seed=seed, size=SIZE, fps=FRAME_RATE
        )
        for seed, title in enumerate(TITLES, 1)
    ]


def cut_copy(signed: Path, destination: Path) -> Path:
    """What a platform and a careless re-poster do to a clip."""
    return render_media.cut_clip(signed, destination, start_s=3.0, end_s=7.0, scale=0.5, crf=32)


def build_submission(folder: Path, clips: list[Path], registered: list[dict[str, Any]]) -> Path:
    """A 20-second film of two clips between plain footage, and a disclosure that names one."""
    folder.mkdir()
    parts = folder.parent / "parts"
    parts.mkdir()
    used = [
        render_media.cut_clip(clips[0], parts / "a.mp4", start_s=2.0, end_s=7.0),
        render_media.cut_clip(clips[1], parts / "b.mp4", start_s=1.0, end_s=6.0),
    ]
    plain = [render_media.Plain(seconds, seed=90 + i) for i, seconds in enumerate((3.0, 4.0, 3.0))]
    render_media.concat_film(
        folder / "film.mp4",
        [plain[0], used[0], plain[1], used[1], plain[2]],
        size=SIZE,
        fps=FRAME_RATE,
    )
    disclosure = {
        "schema": "aidisc/1",
        "profile": "mini",
        "film": {
            "title": {"en": "Two Harbours"},
            "versions": [{"label": "festival", "rate": f"{FRAME_RATE}/1", "frames": 480}],
        },
        "declared_use": "generative",
        "departments": [{"dept": "cinematography", "used": "yes", "mode": "generated"}],
        "tools": [{"id": "t1", "name": "Example Video Model"}],
        "uses": [
            {
                "id": "u1",
                "start_frame": 72,
                "end_frame": 192,
                "tool": "t1",
                "source_files": [registered[0]["content_sha256"]],
            }
        ],
        "claims": [{"metric": "seconds_any", "value": 0.25, "unit": "ratio", "qualifier": "about"}],
    }
    (folder / "disclosure.yaml").write_text(yaml.safe_dump(disclosure, sort_keys=False))
    return folder


def register(home: Path, folder: Path) -> list[dict[str, Any]]:
    """Register a folder and publish it; one JSON object a file, in the order of the names."""
    output = run(home, "register", str(folder), "--publish", "--json")
    registered = [json.loads(line) for line in output.splitlines()]
    for one in registered:
        print(f"   {one['title']}: {one['registration_id']} {one['status']}")
    return registered


def print_matches(verdict: dict[str, Any]) -> None:
    """The matched seconds, as text."""
    for match in verdict["matches"]:
        for segment in match["segments"]:
            print(
                f"   seconds {segment['query_start_s']:.2f}-{segment['query_end_s']:.2f} are "
                f"{match['title']} {segment['work_start_s']:.2f}-{segment['work_end_s']:.2f}, "
                f"score {match['score']:.2f}"
            )


def titledeed(home: Path, *arguments: str, expect: int = 0) -> dict[str, Any]:
    """Run the command and read the one JSON object that it prints."""
    parsed: dict[str, Any] = json.loads(run(home, *arguments, expect=expect))
    return parsed


def run(home: Path, *arguments: str, expect: int = 0) -> str:
    """Run the command as a person would; its progress goes to this terminal."""
    command = shutil.which("titledeed", path=str(Path(sys.executable).parent)) or "titledeed"
    done = subprocess.run(
        [command, *arguments],
        env={**os.environ, "TITLEDEED_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != expect:
        print(done.stdout)
        sys.exit(f"titledeed {arguments[0]} gave {done.returncode} instead of {expect}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
