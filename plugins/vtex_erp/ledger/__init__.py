"""The ledger: events, order entries, documents and history, in a database of the user's choice.

It is the only truth about what was done. Every function takes the `Ledger` first and runs in one
transaction of its own, so a killed process leaves either the state before a call or the state after it.
"""
