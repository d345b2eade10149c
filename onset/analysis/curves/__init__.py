"""How does it grow with size? Shapes, their fit, and places on the size axis."""
