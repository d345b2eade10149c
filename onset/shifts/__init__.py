"""Onset: shifts."""
