"""The command line: parses arguments, calls one service method, renders what it returns."""
