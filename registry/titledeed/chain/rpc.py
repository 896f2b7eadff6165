"""JSON-RPC to one Ethereum node, and strict reading of what it answers.

Nodes are untrusted: a value of the wrong form is a ``LedgerError``, never a crash. Calls go through
the standard library, because importing web3 costs more than any of our commands may take.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from titledeed.canonical.documents import Json
from titledeed.chain.calls import name_refusal
from titledeed.errors import (
    ConfigurationError,
    LedgerError,
    LedgerUnavailableError,
    TransactionRevertedError,
)
from titledeed.proofs.rpc_values import parse_bytes, parse_object, parse_quantity

RESPONSE_LENGTH_MAX: Final = 64 * 1024 * 1024
_EXECUTION_REVERTED: Final = 3
"""Error code of geth and anvil for a call that a contract refused."""


class RpcError(Exception):
    """A node answered, and refused the call. Stays inside ``chain``."""

    def __init__(self, code: int, message: str, data: Json = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Node(Protocol):
    """Something that answers Ethereum JSON-RPC. Thread-safe."""

    def call(self, method: str, *params: Json) -> Json:
        """Call one method.

        Raises:
            RpcError: the node refused the call.
            LedgerUnavailableError: the node does not answer.
        """
        ...

    def close(self) -> None:
        """Release processes and connections; idempotent."""
        ...


class HttpNode:
    """A node behind a URL.

    Args:
        url: ``http`` or ``https``; may hold credentials or an API key, so no message shows it.
        timeout_s: for one call.
    """

    def __init__(self, *, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError(
                "the chain's RPC URL is neither http nor https",
                next_step="Set TITLEDEED_CHAIN__RPC_URL, for example to http://127.0.0.1:8545.",
                setting="TITLEDEED_CHAIN__RPC_URL",
            )
        self._name = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._headers = {"Content-Type": "application/json"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair).decode("ascii")
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        try:
            self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)
        except ValueError as error:
            raise ConfigurationError(
                f"the RPC URL of {self._name} has no valid port", setting="TITLEDEED_CHAIN__RPC_URL"
            ) from error
        self._lock = threading.Lock()

    def call(self, method: str, *params: Json) -> Json:
        """See ``Node.call``."""
        body: dict[str, Json] = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": list(params),
        }
        answer = self._post(json.dumps(body).encode("utf-8"))
        if not isinstance(answer, dict) or not {"result", "error"} & answer.keys():
            raise LedgerUnavailableError(
                f"{self._name} does not answer in JSON-RPC", endpoint=self._name
            )
        problem = answer.get("error")
        if problem is None:
            return answer["result"]
        if not isinstance(problem, dict):
            raise RpcError(-32000, str(problem)[:500])
        code = problem.get("code")
        raise RpcError(
            code if isinstance(code, int) else -32000,
            str(problem.get("message"))[:500],
            problem.get("data"),
        )

    def close(self) -> None:
        """See ``Node.close``."""
        with self._lock:
            self._connection.close()

    def _post(self, body: bytes) -> Json:
        with self._lock:
            try:
                status, data = self._exchange(body)
                if status == http.HTTPStatus.OK:
                    answer: Json = json.loads(data)
                    return answer
            except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
                self._connection.close()
                raise LedgerUnavailableError(
                    f"the chain at {self._name} does not answer: {error or type(error).__name__}",
                    next_step="Check that the node runs and that the RPC URL is right.",
                    endpoint=self._name,
                ) from error
        raise LedgerUnavailableError(
            f"the chain at {self._name} answered HTTP {status}",
            next_step="Check the RPC URL and its access key, or try again later.",
            endpoint=self._name,
        )

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        reused = self._connection.sock is not None
        try:
            return self._exchange_once(body)
        except (ConnectionError, http.client.RemoteDisconnected):
            # A server may close an idle connection at any time; that says nothing about the call.
            self._connection.close()
            if not reused:
                raise
            return self._exchange_once(body)

    def _exchange_once(self, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", self._target, body, self._headers)
        response = self._connection.getresponse()
        data = response.read(RESPONSE_LENGTH_MAX + 1)
        if len(data) > RESPONSE_LENGTH_MAX:
            raise ValueError("the answer is too long")
        return response.status, data


def ask(node: Node, method: str, *params: Json) -> Json:
    """Call a node where a refusal is an error of ours.

    Raises:
        TransactionRevertedError: the contract refused the call.
        LedgerError: the node refused the call.
        LedgerUnavailableError: it does not answer.
    """
    try:
        return node.call(method, *params)
    except RpcError as error:
        if error.code == _EXECUTION_REVERTED or "revert" in error.message:
            reason = _name_refusal(error.data) or error.message
            raise TransactionRevertedError(
                f"the contract refuses: {reason}", reason=reason
            ) from error
        raise LedgerError(f"the node refuses {method}: {error.message}") from error


def fetch_chain_id(node: Node) -> int:
    """The number of the chain (EIP-155).

    Raises:
        LedgerError: the node refused the call or answered something else.
        LedgerUnavailableError: it does not answer.
    """
    return parse_quantity(ask(node, "eth_chainId"))


def fetch_block(node: Node, number: int | str) -> dict[str, Json] | None:
    """A block by its number or tag, with the hashes of its transactions, or None.

    Raises:
        LedgerError: the node refused the call or answered something else.
        LedgerUnavailableError: it does not answer.
    """
    tag = hex(number) if isinstance(number, int) else number
    with_bodies = False
    block = ask(node, "eth_getBlockByNumber", tag, with_bodies)
    return None if block is None else parse_object(block)


def _name_refusal(data: Json) -> str:
    try:
        return name_refusal(parse_bytes(data))
    except LedgerError:
        return ""  # nodes need not give a reason
