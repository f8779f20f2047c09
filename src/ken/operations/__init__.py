"""Alerts, digests, hypotheses, the checklist, load and drill: what looks at a running Ken and its record."""
