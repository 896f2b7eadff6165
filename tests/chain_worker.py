"""A process that anchors on a development chain: ``chain_worker.py FOLDER LABEL COUNT``.

Prints each transaction and its block once the chain holds it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from chain_builders import hex_of, raw_anchor, root_of, sender_of

from titledeed.chain.development.chain import DevelopmentChain
from titledeed.proofs.rpc_values import parse_object, parse_quantity
from titledeed.proofs.transactions import hash_transaction


def main(folder: str, label: str, count: str) -> None:
    chain = DevelopmentChain(folder=Path(folder))
    sender, identity = sender_of(label), chain.pin.identity
    nonce = parse_quantity(chain.call("eth_getTransactionCount", sender.address, "latest"))
    for number in range(nonce, nonce + int(count)):
        raw = raw_anchor(
            sender,
            chain_id=identity.chain_id,
            contract=identity.contract,
            nonce=number,
            root=root_of(f"{label} {number}"),
        )
        chain.call("eth_sendRawTransaction", hex_of(raw))
        transaction = hex_of(hash_transaction(raw))
        receipt = parse_object(chain.call("eth_getTransactionReceipt", transaction))
        sys.stdout.write(f"{transaction} {receipt['blockHash']}\n")
        sys.stdout.flush()
    chain.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
