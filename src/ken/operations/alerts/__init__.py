"""Alerts: rules as data, detectors over the rollups, states that restarts and replicas share, and messages."""
