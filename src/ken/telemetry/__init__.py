"""The record of every question: spans, traces, prices."""
