"""Yan 2023: deep signatures by phase, fused and put into nomograms."""
