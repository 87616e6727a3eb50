"""Prices: units, dated rates, quotes before and costs after."""
