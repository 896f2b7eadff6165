"""Chains: contract, keys, transactions, the development chain and any chain by RPC URL."""
