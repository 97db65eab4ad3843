"""HTTP as both doors need it: bodies, problems, middleware."""
