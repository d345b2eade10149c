"""The results folder: the only place that knows its layout."""
