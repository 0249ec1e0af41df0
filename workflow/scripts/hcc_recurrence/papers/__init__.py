"""How each paper composes its method from the floors below. A paper knows no other paper."""
