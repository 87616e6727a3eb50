"""Workflows: graphs of requests, priced, run, resumed and promoted as a whole."""
