"""The store: the document model, its limits, and everything that speaks to MongoDB."""
