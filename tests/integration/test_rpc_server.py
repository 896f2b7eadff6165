"""``chain serve``: what it forwards, what it journals, what it refuses."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from chain_builders import hex_of, raw_anchor, root_of, sender_of

from titledeed.canonical.documents import Json
from titledeed.chain.deployment import deploy_contract, pin_chain
from titledeed.chain.development.chain import DevelopmentChain
from titledeed.chain.development.journal import JOURNAL_NAME, Journal
from titledeed.chain.development.rpc_server import BODY_LENGTH_MAX, make_server, serve_rpc
from titledeed.chain.ledger import EvmLedger
from titledeed.chain.rpc import HttpNode, RpcError
from titledeed.errors import ConfigurationError
from titledeed.models.evidence import ChainIdentity
from titledeed.models.ledger import AnchorRoot
from titledeed.proofs.rpc_values import parse_object, parse_quantity

pytestmark = pytest.mark.chain

SENDER, OTHER = sender_of("sender"), sender_of("worker")
WORKER = Path(__file__).resolve().parent.parent / "chain_worker.py"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevelopmentChain]:
    folder = tmp_path_factory.mktemp("chain")
    made = DevelopmentChain.create(folder=folder, funded=(SENDER.address, OTHER.address))
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(chain: DevelopmentChain) -> Iterator[ThreadingHTTPServer]:
    with make_server(chain, host="127.0.0.1", port=0) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def node(server: ThreadingHTTPServer) -> Iterator[HttpNode]:
    made = HttpNode(url=f"http://127.0.0.1:{server.server_port}", timeout_s=30)
    yield made
    made.close()


def _post(
    server: ThreadingHTTPServer, body: bytes, headers: dict[str, str] | None = None
) -> tuple[int, Json]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    sent = {"Content-Type": "application/json"} | (headers or {})
    try:
        connection.request("POST", "/", body, sent)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


def _raw(identity: ChainIdentity, nonce: int) -> bytes:
    return raw_anchor(
        SENDER,
        chain_id=identity.chain_id,
        contract=identity.contract,
        nonce=nonce,
        root=root_of(nonce),
    )


def _anchor(node: HttpNode, identity: ChainIdentity) -> bytes:
    nonce = parse_quantity(node.call("eth_getTransactionCount", SENDER.address, "latest"))
    raw = _raw(identity, nonce)
    node.call("eth_sendRawTransaction", hex_of(raw))
    return raw


def _call(method: str, *params: Json) -> Json:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}


def test_another_home_anchors_through_it(
    chain: DevelopmentChain, node: HttpNode, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pin = pin_chain(node)
    assert pin.identity == chain.pin.identity
    assert deploy_contract(node, sender=SENDER) == pin.identity.contract
    ledger = EvmLedger(node=node, pin=pin, sender=SENDER)
    transaction = ledger.sign_call(AnchorRoot(root_of("remote"), 1), ledger.count_transactions())
    ledger.broadcast(transaction)
    receipt = ledger.find_receipt(transaction.hash)
    assert receipt is not None
    own = EvmLedger(node=chain, pin=chain.pin, sender=SENDER)
    assert own.find_receipt(transaction.hash) == receipt


def test_what_it_accepts_is_journalled(
    chain: DevelopmentChain, node: HttpNode, tmp_path: Path
) -> None:
    ledger = EvmLedger(node=node, pin=chain.pin, sender=SENDER)
    transaction = ledger.sign_call(AnchorRoot(root_of("kept"), 1), ledger.count_transactions())
    ledger.broadcast(transaction)
    journal = Journal(chain.folder / JOURNAL_NAME, genesis_timestamp=0)
    assert journal.read_new()[-1].transactions == (transaction.raw,)


def test_it_and_another_process_write_one_chain(chain: DevelopmentChain, node: HttpNode) -> None:
    arguments = [str(WORKER), str(chain.folder), "worker", "8"]
    worker = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    mine = [_anchor(node, chain.pin.identity) for _ in range(8)]
    theirs = [line.split() for line in worker.communicate(timeout=100)[0].splitlines()]
    assert worker.returncode == 0
    assert len(theirs) == 8
    for transaction, block_hash in theirs:
        receipt = parse_object(node.call("eth_getTransactionReceipt", transaction))
        assert receipt["blockHash"] == block_hash
    entries = Journal(chain.folder / JOURNAL_NAME, genesis_timestamp=0).read_new()
    journalled = [raw for entry in entries for raw in entry.transactions]
    assert [raw for raw in journalled if raw in mine] == mine


def test_burst_of_requests_is_journalled_one_to_a_block(
    chain: DevelopmentChain, server: ThreadingHTTPServer, node: HttpNode
) -> None:
    nonce = parse_quantity(node.call("eth_getTransactionCount", SENDER.address, "latest"))
    raws = [_raw(chain.pin.identity, nonce + number) for number in range(20)]
    batch = [_call("eth_sendRawTransaction", hex_of(raw)) for raw in raws]
    _, answers = _post(server, json.dumps(batch).encode())
    assert isinstance(answers, list)
    assert all(isinstance(answer, dict) and "result" in answer for answer in answers)
    entries = Journal(chain.folder / JOURNAL_NAME, genesis_timestamp=0).read_new()
    assert [entry.transactions for entry in entries[-20:]] == [(raw,) for raw in raws]
    assert chain.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}


@pytest.mark.parametrize(
    "method",
    [
        "anvil_setBalance",
        "anvil_dropAllTransactions",
        "evm_mine",
        "evm_setNextBlockTimestamp",
        "hardhat_reset",
        "debug_traceTransaction",
        "personal_sign",
        "eth_sendTransaction",
        "eth_sign",
        "anvil_dumpState",
        "anvil_loadState",
        "anvil_reorg",
        "evm_revert",
        "txpool_content",
    ],
)
def test_methods_that_would_pass_the_journal_are_refused(
    chain: DevelopmentChain, node: HttpNode, method: str
) -> None:
    before = chain.call("eth_blockNumber")
    with pytest.raises(RpcError, match="does not offer") as caught:
        node.call(method)
    assert caught.value.code == -32601
    assert chain.call("eth_blockNumber") == before


@pytest.mark.parametrize("raw", [None, 5, "0x", "zz", "0x02", "0x" + "ff" * 200])
def test_bytes_that_are_no_transaction_write_no_block(
    chain: DevelopmentChain, node: HttpNode, raw: Json
) -> None:
    before = chain.call("eth_blockNumber")
    with pytest.raises(RpcError):
        node.call("eth_sendRawTransaction", raw)
    assert chain.call("eth_blockNumber") == before


def test_batch_is_answered_in_order(server: ThreadingHTTPServer, chain: DevelopmentChain) -> None:
    batch = [_call("eth_chainId"), _call("evm_mine"), 5, _call("net_version")]
    status, answers = _post(server, json.dumps(batch).encode())
    assert status == 200
    assert isinstance(answers, list)
    kinds = ["result" if isinstance(a, dict) and "result" in a else "error" for a in answers]
    assert kinds == ["result", "error", "error", "result"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[" * 50_000, -32700),
        (b"5", -32600),
        (b"[]", -32600),
        (b"[" + b"1," * 200 + b"1]", -32600),
        (b'{"method": 5}', -32600),
        (b'{"method": "eth_call", "params": {"to": "0x"}}', -32602),
    ],
)
def test_request_of_the_wrong_form_is_refused(
    server: ThreadingHTTPServer, body: bytes, code: int
) -> None:
    status, answer = _post(server, body)
    assert status == 200
    assert isinstance(answer, dict)
    assert isinstance(problem := answer["error"], dict)
    assert problem["code"] == code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": str(BODY_LENGTH_MAX + 1)}, 413),
    ],
)
def test_request_from_elsewhere_or_too_long_is_refused(
    server: ThreadingHTTPServer, headers: dict[str, str], status: int
) -> None:
    body = json.dumps(_call("eth_chainId")).encode()
    assert _post(server, body, headers)[0] == status


def test_taken_port_is_told(chain: DevelopmentChain, server: ThreadingHTTPServer) -> None:
    with pytest.raises(ConfigurationError, match="cannot listen"):
        serve_rpc(chain, host="127.0.0.1", port=server.server_port, on_ready=lambda url: None)
