"""Sending webhooks: the feed of events, the queue, the signed requests."""
