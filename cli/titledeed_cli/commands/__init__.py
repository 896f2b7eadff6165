"""One file a command: its flags, its help with examples, and its exit codes."""
