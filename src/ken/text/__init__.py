"""Pure language work: sentences, tokens, stems, marks, numbers."""
