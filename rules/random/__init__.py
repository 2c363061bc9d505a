"""Randomness and reproducibility: generators without a seed, seeds that are lost, orders that change."""
