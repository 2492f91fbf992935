"""The verbs: what several rows or an outside system decide, each in its transaction."""
