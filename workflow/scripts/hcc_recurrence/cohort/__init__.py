"""From a hospital's files to checked images, masks, labels and splits."""
