"""PROVE: verify, export, evidence, erasure, retention: what the ledger is for."""
