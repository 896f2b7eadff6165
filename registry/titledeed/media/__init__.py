"""From untrusted bytes to frames, samples and facts. Runs inside the sandbox; knows no paths."""
