"""The store: tables, transactions, and the thread that writes."""
