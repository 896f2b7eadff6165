"""web3 as the client of the contract, over any ``Node``.

web3 brings the ABI, the events and the typed answers; the node below it brings time-outs, limits,
and, for a development chain, the journal. None of its exceptions leaves this room.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from titledeed.chain.contract import load_interface
from titledeed.chain.rpc import Node, RpcError
from titledeed.errors import LedgerError, TransactionRevertedError
from titledeed.models.primitives import Address

if TYPE_CHECKING:
    from eth_typing import ChecksumAddress
    from web3 import Web3
    from web3.contract import Contract


def import_ethereum() -> None:
    """Import web3 and eth-account; call it before any of their names is imported.

    They take a second, so this waits until they are needed. And py_ecc, which they bring, raises
    the recursion limit to 100,000, at which nested JSON from a stranger overflows the C stack and
    kills the process: the limit is put back.
    """
    limit = sys.getrecursionlimit()
    import eth_account
    import web3

    del eth_account, web3
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


def open_contract(web3: Web3, address: Address) -> Contract:
    """``TitleDeed`` at an address."""
    interface: Any = load_interface()
    return web3.eth.contract(address=checksum_address(address), abi=interface)


def checksum_address(address: Address) -> ChecksumAddress:
    """Our address under web3's name for the same form."""
    from eth_typing import ChecksumAddress, HexAddress, HexStr

    return ChecksumAddress(HexAddress(HexStr(address)))


@contextmanager
def own_errors(action: str) -> Iterator[None]:
    """Turn what web3 raises into errors of ours.

    Raises:
        TransactionRevertedError: the contract refused the call.
        LedgerError: the node refused the call, or answered something that web3 cannot read.
    """
    import_ethereum()
    from web3.exceptions import ContractLogicError, Web3Exception

    try:
        yield
    except ContractLogicError as error:
        raise TransactionRevertedError(f"the contract refuses {action}: {error}") from error
    except (Web3Exception, ValueError, TypeError, KeyError, OverflowError) as error:
        # A lying node can make web3 stumble anywhere in the answer.
        raise LedgerError(f"the node refuses {action} or answers nonsense: {error!r}") from error
