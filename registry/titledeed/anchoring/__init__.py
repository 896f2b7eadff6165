"""Chain motion: follow blocks, send transactions, anchor batches, record acts, complete bundles.

Belongs here what moves between database, vault and chain, and can be repeated after a crash. May
import ports, ``proofs``, the vault and pure rooms; adapters come through ports.
"""
