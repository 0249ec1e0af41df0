"""How each method is composed of the floors below. A method knows no other method."""
