"""Where other libraries lie and which versions they have."""
