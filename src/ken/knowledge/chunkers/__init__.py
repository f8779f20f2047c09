"""Where a document is cut into passages: one way a file, behind one seam."""
