"""The model lab: it makes, trains, aligns, compresses, looks into and serves models. It never imports ken."""
