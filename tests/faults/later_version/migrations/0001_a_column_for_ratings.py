"""A column that the version before does not know and does not need."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("listening", "0001_initial")]
    operations = [
        migrations.RunSQL(
            [
                "ALTER TABLE listening_rating ADD COLUMN noted varchar(20) NULL",
                "CREATE INDEX rating_noted ON listening_rating (noted)",
                "UPDATE listening_rating SET noted = 'before'",
            ]
        )
    ]
