"""The embedded chain: anvil, its journal, replicas, checkpoints, and the RPC that journals.

Here belongs what keeps a chain that this home runs itself; to the rest of the program it is a
``chain.rpc.Node`` like any other.

May import what ``chain`` may, and ``chain`` itself, which imports nothing from here.
"""
