"""What is trained again to see how far numbers move, and what it is called. Read by rules, so nothing is imported."""

KERNELS, SEED = "kernels", "seed"
AGAIN_TEXT = {KERNELS: "other kernels", SEED: "another seed"}
