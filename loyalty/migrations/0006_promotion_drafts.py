from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0005_holds"),
    ]

    operations = [
        migrations.AddField(
            model_name="promotion",
            name="draft",
            field=models.JSONField(
                help_text="A PromotionDraft: to be published next, without effect.", null=True
            ),
        ),
        migrations.AddField(
            model_name="promotion",
            name="drafted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="promotion",
            name="drafted_by",
            field=models.CharField(blank=True, db_default="", max_length=150),
        ),
        migrations.AddField(
            model_name="promotion",
            name="ended_at",
            field=models.DateTimeField(help_text="Ended by staff, for good.", null=True),
        ),
    ]
