"""The operations: every rule of the gateway, once, for both doors."""
