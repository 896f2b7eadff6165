"""The HTTP API and the web pages: parse, call one service method, render."""

from titledeed_api.app import create_app

__all__ = ["create_app"]
