"""The application: both doors, settings, the command line."""
