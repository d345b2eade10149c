"""Smooth growth, or a jump?"""
