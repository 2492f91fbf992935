"""The sound check becomes one step of the screening: studies keep theirs, sessions keep what they did in it."""

from django.db import migrations
from django.utils.crypto import get_random_string


def keep(apps, schema_editor):
    Study, Session = apps.get_model("listening", "Study"), apps.get_model("listening", "Session")
    Result = apps.get_model("listening", "ScreeningResult")
    Study.objects.filter(sound_check=False).update(screening=[])
    Study.objects.filter(sound_check=True).update(screening=[{"step": "tones"}])
    for session in Session.objects.filter(check_tries__gt=0).iterator(chunk_size=1000):
        passed = session.checked_at is not None
        for attempt in range(1, session.check_tries + 1):
            Result.objects.create(
                session=session,
                step="tones",
                attempt=attempt,
                public_id=get_random_string(22),
                seed=0,
                passed=passed and attempt == session.check_tries,
                finished_at=session.checked_at or session.created_at,
            )


class Migration(migrations.Migration):
    dependencies = [("listening", "0006_screening")]
    operations = [migrations.RunPython(keep, migrations.RunPython.noop)]
