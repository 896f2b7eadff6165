"""Frozen containers of evidence: records, dossiers, bundles, segments of logs, snapshots.

What a claimant states is encoded in the room above; here is what carries it, and what dates it.
May import ``canonical``, ``models`` and ``errors``.
"""
