"""PyRadiomics features of one image and its masks."""
