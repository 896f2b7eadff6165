from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from titledeed.canonical.documents import hex_word
from titledeed.chain.deployment import pin_chain
from titledeed.chain.rpc import HttpNode, RpcError, ask
from titledeed.errors import (
    ConfigurationError,
    LedgerError,
    LedgerUnavailableError,
    TransactionRevertedError,
)
from titledeed.proofs.abi import selector
from titledeed.proofs.rpc_values import parse_bytes, parse_quantity

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts HTTP servers that answer every call with the same bytes."""
    servers: list[ThreadingHTTPServer] = []

    def start(body: bytes, status: int = 200, *, closes: bool = False) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = closes

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def nodes() -> Iterator[Callable[..., HttpNode]]:
    opened: list[HttpNode] = []

    def connect(url: str, timeout_s: float = 5) -> HttpNode:
        opened.append(HttpNode(url=url, timeout_s=timeout_s))
        return opened[-1]

    yield connect
    for node in opened:
        node.close()


def _result(value: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}).encode()


def _error(code: int, message: str) -> bytes:
    problem = {"code": code, "message": message}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": problem}).encode()


def test_result_is_returned(serve: Serve, nodes: Callable[..., HttpNode]) -> None:
    assert nodes(serve(_result("0x7"))).call("eth_chainId") == "0x7"
    assert nodes(serve(_result(None))).call("eth_getTransactionReceipt", "0x") is None


def test_connection_closed_by_the_server_is_opened_again(
    serve: Serve, nodes: Callable[..., HttpNode]
) -> None:
    node = nodes(serve(_result("0x7"), closes=True))
    assert [node.call("eth_chainId") for _ in range(3)] == ["0x7"] * 3


def test_refusal_keeps_code_and_words(serve: Serve, nodes: Callable[..., HttpNode]) -> None:
    with pytest.raises(RpcError) as caught:
        nodes(serve(_error(-32601, "no such method"))).call("eth_x")
    assert (caught.value.code, caught.value.message) == (-32601, "no such method")


def test_revert_is_told_apart(serve: Serve, nodes: Callable[..., HttpNode]) -> None:
    with pytest.raises(TransactionRevertedError):
        ask(nodes(serve(_error(3, "execution reverted"))), "eth_call")
    with pytest.raises(LedgerError, match="refuses eth_call"):
        ask(nodes(serve(_error(-32000, "header not found"))), "eth_call")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>busy</html>", 200),
        (b"[]", 200),
        (b"{}", 200),
        (b'"text"', 200),
        (b"[" * 100_000, 200),
        (b"\xff\xfe", 200),
        (_result("0x1"), 429),
        (_result("0x1"), 503),
        (_result("0x1"), 302),
    ],
)
def test_answer_that_is_no_json_rpc_is_unavailability(
    serve: Serve, nodes: Callable[..., HttpNode], body: bytes, status: int
) -> None:
    with pytest.raises(LedgerUnavailableError):
        nodes(serve(body, status)).call("eth_chainId")


def test_closed_port_is_unavailability(nodes: Callable[..., HttpNode]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}/key-1234"
    with pytest.raises(LedgerUnavailableError) as caught:
        nodes(url).call("eth_chainId")
    assert "secret" not in str(caught.value)
    assert "key-1234" not in str(caught.value)
    assert caught.value.retryable


def test_silent_server_is_unavailability(nodes: Callable[..., HttpNode]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        node = nodes(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2)
        with pytest.raises(LedgerUnavailableError):
            node.call("eth_chainId")


@pytest.mark.parametrize("url", ["", "ftp://host", "http://", "file:///etc/passwd", "http://h:x"])
def test_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        HttpNode(url=url, timeout_s=1)


def test_refusal_of_the_contract_has_its_name(serve: Serve, nodes: Callable[..., HttpNode]) -> None:
    data = hex_word(selector("NotHolder(uint256,address)") + bytes(64))
    problem = {"code": 3, "message": "execution reverted", "data": data}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": problem}).encode()
    with pytest.raises(TransactionRevertedError, match="the contract refuses: NotHolder"):
        ask(nodes(serve(body)), "eth_call")


@pytest.mark.parametrize("value", [None, 7, "7", "0x", "0xzz", "0x1" + "0" * 64, [], {}])
def test_value_that_is_no_quantity_is_refused(value: int | str | None) -> None:
    with pytest.raises(LedgerError):
        parse_quantity(value)


@pytest.mark.parametrize("value", [None, 7, "7f", "0x7", "0xzz", "0x" + "00" * 31])
def test_value_that_is_no_word_is_refused(value: int | str | None) -> None:
    with pytest.raises(LedgerError):
        parse_bytes(value, length=32)


def test_lying_node_is_refused_not_believed(serve: Serve, nodes: Callable[..., HttpNode]) -> None:
    with pytest.raises(LedgerError):
        pin_chain(nodes(serve(_result({"hash": "0x12"}))))
