"""``tumorresp bench``: how good a segmenter is on data with reference masks."""
