"""Candidates, time alignment and score: pure, except that the embedded index reads its source."""
