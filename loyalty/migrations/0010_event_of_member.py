from django.db import migrations, models


class Migration(migrations.Migration):
    """A member's events, whatever became of them, are read in order."""

    dependencies = [("loyalty", "0009_tiers")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["account_id", "id"], name="event_of_member"),
        ),
    ]
