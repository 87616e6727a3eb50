"""One file per provider: how its servers answer, from the vendor's documented wire facts."""
