"""Ethereum's Python libraries, where they are used: slow to import, and with a side effect."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from titledeed.chain.rpc import Node, RpcError

if TYPE_CHECKING:
    from web3 import Web3


def import_ethereum() -> None:
    """Import eth-account; call it before any of its names, or any of web3's, is imported.

    It takes a while, so this waits until it is needed. And py_ecc, which it brings, raises the
    recursion limit to 100,000, at which nested JSON from a stranger overflows the C stack and kills
    the process: the limit is put back.
    """
    limit = sys.getrecursionlimit()
    import eth_account

    del eth_account
    sys.setrecursionlimit(limit)


def open_web3(node: Node) -> Web3:
    """web3 on a node, without middleware: what is asked is what is sent."""
    import_ethereum()
    from web3 import Web3
    from web3.providers.base import BaseProvider
    from web3.types import RPCEndpoint, RPCResponse

    class NodeProvider(BaseProvider):
        """Carries web3's requests to the node."""

        def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
            """Ask; a refusal becomes the error object that web3 expects."""
            try:
                result: Any = node.call(method, *params)
            except RpcError as error:
                problem: Any = {"code": error.code, "message": error.message, "data": error.data}
                return {"jsonrpc": "2.0", "id": 1, "error": problem}
            return {"jsonrpc": "2.0", "id": 1, "result": result}

    return Web3(NodeProvider(), middleware=[])
