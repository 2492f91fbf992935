"""Audio in, audio out: every condition of a listening test, rendered exactly and reproducibly; no Django, no database."""
