"""How good a segmenter is: masks made from reference axes alone, scored against the reference masks."""
