"""Onset: models."""
