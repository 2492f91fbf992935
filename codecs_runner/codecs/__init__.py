"""One module for each family of codecs; they know `base` and never one another."""
