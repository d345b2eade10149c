"""Onset."""
