"""Is a better than b? Paired differences along any axis."""
