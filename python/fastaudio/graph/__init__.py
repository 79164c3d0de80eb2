"""Changing a composed network: `hop` sets another step between windows, `layers` another output."""
