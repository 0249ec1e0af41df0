"""Cui 2022: a 3D CNN of the segmented tumour, and one of the whole box."""
