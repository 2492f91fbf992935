"""People, studies, the database and Prolific: the Django project and its one app."""
