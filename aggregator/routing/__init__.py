"""Routing: who can serve a request, in which order, and whether another may be tried."""
