"""HTTP/1.1 of the gateway, against servers that answer as real ones do, and as they should not."""
