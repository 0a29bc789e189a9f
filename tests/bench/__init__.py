"""Benchmarks, run by `make bench`: ratios measured in one go, never tests."""
