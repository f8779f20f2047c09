"""All SQL of Ken's own database: one file per aggregate. It takes and returns domain values, never rows."""
