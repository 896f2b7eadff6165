"""py_ecc, which web3 and eth_account bring, raises the recursion limit to 100,000 when imported.

At that limit nested JSON from a stranger overflows the C stack and kills the process.
"""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from titledeed.chain.evm import import_ethereum
from titledeed.errors import MalformedDocumentError
from titledeed.canonical.documents import parse_document

import_ethereum()
assert {"eth_account", "py_ecc"} <= sys.modules.keys()
try:
    parse_document(b"[" * 200_000, what="the bundle")
except MalformedDocumentError:
    print("refused")
"""


def test_nested_json_is_refused_after_a_key_was_opened() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=__file__.rpartition("/unit/")[0],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr[-2_000:]
