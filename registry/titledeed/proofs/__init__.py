"""Pure judgement without network: what proofs show, which entries count, what follows from both."""
