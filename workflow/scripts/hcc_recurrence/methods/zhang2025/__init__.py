"""Zhang 2025: a signature of ten images a patient, 3D CNNs and clinical models."""
