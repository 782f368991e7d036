"""Benchmarks: what deciding and choosing cost, beside what they are compared with."""
