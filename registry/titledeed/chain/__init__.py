"""Chains: what speaks to a node, signs for one, or runs one.

Here belong the ``Ledger`` of any EVM chain, JSON-RPC and its untrusted answers, key files, the
calls and signed acts of our contracts, deployments and the pin. web3 and eth-account are imported
here alone, inside the functions that need them: they are slow. What can be judged without a chain,
events and proofs among it, belongs in ``proofs``.

May import ``proofs``, ``ports``, ``canonical``, ``models``, ``errors``, ``durability``.
"""
