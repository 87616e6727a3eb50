"""The registry: cards of models and offers of providers, as data."""
