"""Tools for tests of products that use aggregator."""
