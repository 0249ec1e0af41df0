"""Zhao 2024: radiomics, clinical, deep and fused models."""
