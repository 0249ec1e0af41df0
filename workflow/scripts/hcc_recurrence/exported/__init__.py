"""Exported models: a fitted method as a folder or zip that another hospital applies to its own patients."""
