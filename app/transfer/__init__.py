"""Files of customers: their two formats, and how far an import or an export has come."""
