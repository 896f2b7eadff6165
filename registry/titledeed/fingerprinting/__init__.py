"""One class per fingerprint algorithm: decoded frames or samples in, codes out; no files.

A code is never changed in place: a changed algorithm is a new version beside the old one. Here lie
what every algorithm is and the table of them; they themselves lie in ``pictures`` and ``sound``.
May import ``canonical``, ``models`` and the ports that take frames and samples.
"""
