"""HTTP/1.1 as the gateway needs it: nothing is repeated, redirected or remembered, and what was written is known."""
