"""What every test may use."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from titledeed.chain.evm import import_ethereum

# A test that imports web3 itself would leave the recursion limit that py_ecc sets.
import_ethereum()

CHECKOUT = Path(__file__).resolve().parent.parent
SHARED = CHECKOUT.parent / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Tools that npm installed are found from any working directory."""
    os.environ["PATH"] = f"{CHECKOUT / 'node_modules' / '.bin'}:{os.environ['PATH']}"
    # Who is started in the background inherits an ignored Ctrl-C, and would hand it on to servers.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # No test may touch the person's own home folder or passphrase.
    for name in [name for name in os.environ if name.startswith("TITLEDEED_")]:
        del os.environ[name]


def _require(missing: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{missing}; under CI that is a failure")
    pytest.skip(missing)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Say clearly why a test cannot run here, and fail instead under CI."""
    if item.get_closest_marker("chain") and not shutil.which("anvil"):
        _require("anvil is not installed: run `npm ci --ignore-scripts`")
    if item.get_closest_marker("compiler") and not shutil.which("forge"):
        _require("forge is not installed: run `npm ci --ignore-scripts`")
    if item.get_closest_marker("browser") and not shutil.which("chromium"):
        _require("Chromium is not installed: `apt-get install chromium`")
    if item.get_closest_marker("media") and not SHARED.is_dir():
        pytest.skip("the shared media are not beside this checkout")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real media beside the checkout."""
    return SHARED
