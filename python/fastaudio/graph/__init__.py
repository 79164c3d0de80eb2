"""Changing a composed network: another step between windows, another layer as its output."""
