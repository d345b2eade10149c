"""Onset: report."""
