"""py_ecc, which web3 and eth_account bring, raises the recursion limit to 100,000 when imported.

At that limit nested JSON from a stranger overflows the C stack and kills the process.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from chain_builders import sender_of, start_plain_anvil
from titledeed.chain.deployment import deploy_contract, pin_chain
from titledeed.chain.ledger import EvmLedger
from titledeed.errors import MalformedDocumentError
from titledeed.canonical.documents import parse_document

sender = sender_of("sender")
anvil = start_plain_anvil(sender.address)
deploy_contract(anvil.node, sender=sender)
ledger = EvmLedger(node=anvil.node, pin=pin_chain(anvil.node), sender=sender)
ledger.sign_anchor(bytes(32), 1, ledger.count_transactions())
ledger.close()
anvil.close()
try:
    parse_document(b"[" * 200_000, what="the bundle")
except MalformedDocumentError:
    print("refused")
"""


@pytest.mark.chain
def test_nested_json_is_refused_after_the_chain_was_used() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=__file__.rpartition("/unit/")[0],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr[-2_000:]
