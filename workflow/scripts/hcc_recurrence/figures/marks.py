"""What figures and pictures must say of themselves wherever they go."""

# Below each figure and picture of simulated patients, in its file's metadata and among its numbers.
SIMULATED = "Simulated patients, not for publication."
