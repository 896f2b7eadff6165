"""What ``titledeed chain serve`` offers: JSON-RPC to the development chain, over HTTP.

anvil's own port is given to nobody, because its other methods would write blocks past the journal.
Reads are forwarded; ``eth_sendRawTransaction`` is journalled and mined; the rest is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from titledeed.canonical.documents import Json
from titledeed.chain.rpc import Node, RpcError
from titledeed.errors import ConfigurationError, TitledeedError

METHODS: Final = frozenset(
    {
        "eth_accounts",
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_getBalance",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getBlockReceipts",
        "eth_getBlockTransactionCountByHash",
        "eth_getBlockTransactionCountByNumber",
        "eth_getCode",
        "eth_getLogs",
        "eth_getProof",
        "eth_getStorageAt",
        "eth_getTransactionByBlockHashAndIndex",
        "eth_getTransactionByBlockNumberAndIndex",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_sendRawTransaction",
        "eth_syncing",
        "net_listening",
        "net_version",
        "web3_clientVersion",
    }
)
BODY_LENGTH_MAX: Final = 1024 * 1024
BATCH_LENGTH_MAX: Final = 100
_SOCKET_TIMEOUT_S: Final = 30
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})

_INVALID_REQUEST: Final = -32600
_UNKNOWN_METHOD: Final = -32601
_INVALID_PARAMS: Final = -32602
_PARSE_ERROR: Final = -32700
_SERVER_ERROR: Final = -32000


def serve_rpc(node: Node, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until interrupted (``KeyboardInterrupt``); the caller closes the node.

    Args:
        node: the development chain.
        host: keep it on loopback unless a container's network is the boundary.
        port: 0 takes a free one.
        on_ready: told the URL once calls are answered.

    Raises:
        ConfigurationError: the address is taken or not ours.
    """
    with make_server(node, host=host, port=port) as server:
        on_ready(f"http://{host}:{server.server_port}")
        server.serve_forever()


def make_server(node: Node, *, host: str, port: int) -> ThreadingHTTPServer:
    """The server, bound and not yet serving.

    Raises:
        ConfigurationError: the address is taken or not ours.
    """

    class Handler(_RpcHandler):
        target = node
        is_loopback = host in _LOCAL_NAMES

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            next_step="Choose another port.",
        ) from error
    server.daemon_threads = True
    return server


class _RpcHandler(BaseHTTPRequestHandler):
    target: Node
    is_loopback: bool
    protocol_version = "HTTP/1.1"
    timeout = _SOCKET_TIMEOUT_S

    def do_POST(self) -> None:
        """Answer one request or one batch."""
        # A page in a browser may not reach the chain by a name of its own that points here, nor
        # without asking: JSON sent across origins needs a permission that nobody gives.
        if self.is_loopback and not self._names_us():
            return self._refuse(HTTPStatus.FORBIDDEN)
        if self.headers.get_content_type() != "application/json":
            return self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return self._refuse(HTTPStatus.LENGTH_REQUIRED)
        if int(length) > BODY_LENGTH_MAX:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self._reply(answer(self.target, self.rfile.read(int(length))))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
        """Print nothing: a library is silent."""

    def _names_us(self) -> bool:
        name = self.headers.get("Host", "")
        return name.rpartition(":")[0] in _LOCAL_NAMES or name in _LOCAL_NAMES

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def _reply(self, body: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def answer(node: Node, body: bytes) -> bytes:
    """The JSON-RPC answer to a request body (JSON-RPC 2.0, sections 4 to 6)."""
    try:
        request: Json = json.loads(body)
    except (ValueError, RecursionError):
        return _render(_error(None, _PARSE_ERROR, "the request is not JSON"))
    if not isinstance(request, list):
        return _render(_answer_one(node, request))
    if not 1 <= len(request) <= BATCH_LENGTH_MAX:
        problem = f"a batch holds 1 to {BATCH_LENGTH_MAX} requests"
        return _render(_error(None, _INVALID_REQUEST, problem))
    return _render([_answer_one(node, item) for item in request])


def _answer_one(node: Node, request: Json) -> dict[str, Json]:
    if not isinstance(request, dict) or not isinstance(method := request.get("method"), str):
        return _error(None, _INVALID_REQUEST, "the request names no method")
    number, params = request.get("id"), request.get("params", [])
    if method not in METHODS:
        return _error(number, _UNKNOWN_METHOD, "this chain does not offer the method")
    if not isinstance(params, list):
        return _error(number, _INVALID_PARAMS, "params must be an array")
    try:
        return {"jsonrpc": "2.0", "id": number, "result": node.call(method, *params)}
    except RpcError as error:
        return _error(number, error.code, error.message, error.data)
    except TitledeedError as error:
        return _error(number, _SERVER_ERROR, error.message)


def _error(number: Json, code: int, message: str, data: Json = None) -> dict[str, Json]:
    problem: dict[str, Json] = {"code": code, "message": message}
    if data is not None:
        problem["data"] = data
    return {"jsonrpc": "2.0", "id": number, "error": problem}


def _render(value: Json | list[dict[str, Json]]) -> bytes:
    return json.dumps(value).encode("utf-8")
