"""Tools for tests of products that use aggregator: an emulator of every provider, clocks, a pytest plugin."""
