"""Selection and classification, always fitted on the patients they are given and no others."""
