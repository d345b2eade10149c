"""Onset: analysis."""
