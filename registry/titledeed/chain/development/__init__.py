"""The embedded chain: anvil, its journal, replicas, checkpoints, and the RPC that journals."""
