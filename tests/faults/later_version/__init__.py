"""An app that a later version of the site might bring: its one migration changes the table that raters write to."""
