"""Operations on images and masks. Arrays are (z, y, x); spacing in mm; physical space is LPS."""
