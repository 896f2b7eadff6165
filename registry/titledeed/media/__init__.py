"""From untrusted bytes to frames, samples and facts.

Runs inside the sandbox and knows no paths, but for ``digests``, which parses nothing.

The one room that knows FFmpeg's libraries. Belongs here what sniffs, limits and decodes. May import
ports (where frames and samples go) and ``models``; what is made of frames lies in
``fingerprinting``.
"""
