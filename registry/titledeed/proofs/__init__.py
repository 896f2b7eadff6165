"""Pure judgement without network, disk or process; read it to know what Titledeed concludes.

``signatures``, ``transactions``, ``state_proofs`` and ``bundles`` tell what evidence shows;
``events`` and ``entries`` what the chain says of a claim, and what of that counts; ``answers`` and
``sentences`` what a reader is told. Belongs here whatever could be checked with paper and pencil.
May import ``canonical``, ``models`` and ``errors``.
"""
