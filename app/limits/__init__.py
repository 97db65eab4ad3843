"""Rate limits and quotas: what a caller may spend, who counts it, and how an answer tells it."""
