"""Definitions of the statistics: arrays and frames in, arrays and frames out."""
