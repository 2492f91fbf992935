"""Numbers: labels, designs, statistics, objective measures and reports. Data frames in, results out; no Django, no Celery."""
