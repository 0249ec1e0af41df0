"""The demo cohorts: simulated patients that leave as real DICOM. Nothing here is a real person."""
