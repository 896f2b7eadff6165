"""What looking at a file costs, side by side with what cannot be avoided.

    python bench/bench_examining.py decode FOLDER [--runs N]
    python bench/bench_examining.py memory [--megabytes N]

``decode`` times, for each video of the folder in turn and in one process, PyAV's bare decoding and
our whole examination (SHA-256, decoding, fingerprints, thumbnail), and prints the ratio of the
medians. ``memory`` renders a large MP4, registers it into a new home in another process, and
prints the peak resident memory of that process and of its children.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import av
import numpy as np

from titledeed.errors import InputError
from titledeed.examining import examine_job
from titledeed.media.sniffing import HEAD_BYTES, sniff
from titledeed.models.asset import MediaKind

SAMPLE_S: Final = 0.02
LIMITS: Final = {
    "size_bytes_max": 2**40,
    "pixels_max": 2**30,
    "duration_s_max": 86_400,
}


def main() -> None:
    """Parse the arguments and run one benchmark."""
    parser = argparse.ArgumentParser(description="What looking at a file costs.")
    commands = parser.add_subparsers(dest="command", required=True)
    decode = commands.add_parser("decode")
    decode.add_argument("folder", type=Path)
    decode.add_argument("--runs", type=int, default=5)
    memory = commands.add_parser("memory")
    memory.add_argument("--megabytes", type=int, default=300)
    arguments = parser.parse_args()
    if arguments.command == "decode":
        bench_decode(arguments.folder, arguments.runs)
    else:
        bench_memory(arguments.megabytes)


def bench_decode(folder: Path, runs: int) -> None:
    """Print one line a file and the median of the ratios."""
    ratios = []
    for path in sorted(folder.iterdir()):
        if not is_video(path):
            continue
        bare, ours = [], []
        for _ in range(runs):
            bare.append(timed_decode(path))
            ours.append(timed_examination(path))
        ratio = statistics.median(ours) / statistics.median(bare)
        ratios.append(ratio)
        print(
            f"{path.name:60} decode {statistics.median(bare) * 1000:8.1f} ms   "
            f"examine {statistics.median(ours) * 1000:8.1f} ms   ratio {ratio:5.2f}",
            flush=True,
        )
    print(json.dumps({"files": len(ratios), "median_ratio": round(statistics.median(ratios), 3)}))


def is_video(path: Path) -> bool:
    """Whether the bytes are a video that is read."""
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD_BYTES)).kind is MediaKind.VIDEO
    except InputError:
        return False


def timed_decode(path: Path) -> float:
    """Seconds that PyAV needs for all frames, with the threading that we use."""
    started = time.perf_counter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for _ in container.decode(stream):
            pass
    return time.perf_counter() - started


def timed_examination(path: Path) -> float:
    """Seconds of our own pass, without the child process around it."""
    started = time.perf_counter()
    with path.open("rb") as file:
        examine_job(file, LIMITS, lambda _: None)
    return time.perf_counter() - started


def bench_memory(megabytes: int) -> None:
    """Print the peak resident memory of registering one large MP4."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "large.mp4"
        write_noise(clip, megabytes * 1024 * 1024)
        environment = {**os.environ, "TITLEDEED_HOME": str(Path(folder) / "home")}
        titledeed = Path(sys.executable).with_name("titledeed")
        subprocess.run([titledeed, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)
        started = time.perf_counter()
        with subprocess.Popen(
            [titledeed, "--quiet", "register", str(clip)],
            env=environment,
            stdout=subprocess.DEVNULL,
        ) as process:
            peaks = watch_memory(process)
        if process.returncode != 0:
            sys.exit(f"registering failed with {process.returncode}")
        print(
            json.dumps(
                {
                    "file_mb": round(clip.stat().st_size / 1e6),
                    "seconds": round(time.perf_counter() - started, 1),
                    "peak_rss_mb": {name: round(peak / 1e6) for name, peak in peaks.items()},
                }
            )
        )


def watch_memory(process: subprocess.Popen[bytes]) -> dict[str, int]:
    """Peak resident bytes, sampled, of a process and of all its descendants, by program."""
    peaks: dict[str, int] = {}
    while process.poll() is None:
        for pid in [process.pid, *descendants(process.pid)]:
            status = read_status(pid)
            name = "titledeed" if pid == process.pid else f"child {status.get('Name', '?')}"
            resident = int(status.get("VmHWM", "0 kB").split()[0]) * 1024
            peaks[name] = max(peaks.get(name, 0), resident)
        time.sleep(SAMPLE_S)
    return peaks


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [one for child in children for one in (int(child), *descendants(int(child)))]


def read_status(pid: int) -> dict[str, str]:
    """``/proc/PID/status``; empty where the process has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def write_noise(path: Path, size_bytes: int) -> None:
    """A 720p MP4 of about this size whose frames do not compress."""
    generator = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=24, options={"preset": "ultrafast", "qp": "8"}
        )
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        noise = generator.integers(0, 256, (800, 1400, 3), dtype=np.uint8)
        shift, written = 0, 0
        while written < size_bytes:
            picture = np.ascontiguousarray(noise[shift % 80 :, shift % 120 :][:720, :1280])
            packets = stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
            container.mux(packets)
            written += sum(packet.size for packet in packets)
            shift += 7
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
