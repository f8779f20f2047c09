"""OpenTelemetry: what of Ken's traces goes out, and what of others comes in."""
