from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('listening', '0007_keep_sound_checks'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='session',
            name='check_answer',
        ),
        migrations.RemoveField(
            model_name='session',
            name='check_tries',
        ),
        migrations.RemoveField(
            model_name='study',
            name='sound_check',
        ),
    ]
