import re

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from config.kernel.migrations import sql_beside


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0007_replay"),
        ("members", "0002_walls"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventType",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        max_length=64,
                        validators=[
                            django.core.validators.RegexValidator(
                                re.compile("^(?!\\.)[A-Za-z0-9._:~-]{1,64}$(?!\\n)"),
                                "1-64 characters of A-Z a-z 0-9 . _ : ~ -, not starting with a dot.",
                                code="invalid_code",
                            )
                        ],
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="What members and staff read, e.g. in the history.", max_length=200
                    ),
                ),
                ("labels", models.JSONField(blank=True, default=dict, help_text="Names by language code.")),
                ("is_active", models.BooleanField(default=True)),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, help_text="Rises whenever what it asks or gives changes."
                    ),
                ),
                ("part", models.CharField(help_text="Hash of its part.", max_length=71)),
                ("updated_at", models.DateTimeField()),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="event_types",
                        to="members.programme",
                    ),
                ),
            ],
            options={
                "ordering": ("code",),
            },
        ),
        migrations.CreateModel(
            name="EventDevice",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "type_id", "device", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("device", models.BinaryField(max_length=32)),
                ("version", models.PositiveBigIntegerField(default=0)),
                (
                    "programme",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.programme",
                    ),
                ),
                (
                    "type",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="loyalty.eventtype",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("account_id", models.BigIntegerField()),
                (
                    "partner_id",
                    models.BigIntegerField(help_text="None for one that staff posted.", null=True),
                ),
                ("reference", models.CharField(max_length=64)),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("day", models.DateField(help_text="The programme's day of occurred_at.")),
                ("attributes", models.JSONField(default=dict)),
                (
                    "device",
                    models.BinaryField(
                        help_text="HMAC of the device, if its type limits it.", max_length=32, null=True
                    ),
                ),
                (
                    "content",
                    models.BinaryField(help_text="SHA-256 of the normalised content.", max_length=32),
                ),
                ("metadata", models.JSONField(default=dict)),
                ("part", models.CharField(help_text="What its type asked and gave, by hash.", max_length=71)),
                (
                    "ruleset",
                    models.CharField(
                        help_text="Whose terms say rounding, delay and lifetime.", max_length=71
                    ),
                ),
                ("wanted", models.BigIntegerField(help_text="Points without limits and review.")),
                (
                    "reached_limit",
                    models.JSONField(help_text="The limit that left it without points.", null=True),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("posted", "Posted"),
                            ("in_review", "In Review"),
                            ("refused", "Refused"),
                            ("limit_reached", "Limit Reached"),
                            ("reversed", "Reversed"),
                        ],
                        max_length=13,
                    ),
                ),
                ("points", models.BigIntegerField(default=0)),
                ("qualifying", models.BigIntegerField(default=0)),
                ("activates_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("entry_seq", models.PositiveBigIntegerField(null=True)),
                ("salt", models.BinaryField(max_length=16)),
                ("balance", models.JSONField(help_text="The figures after it was booked or recorded.")),
                (
                    "decided_by",
                    models.CharField(
                        blank=True, help_text="Who reviewed it: staff:<username>.", max_length=100
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=200)),
                (
                    "programme",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.programme",
                    ),
                ),
                (
                    "type",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="loyalty.eventtype",
                    ),
                ),
            ],
            options={
                "ordering": ("-recorded_at",),
            },
        ),
        migrations.CreateModel(
            name="EventReversal",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("account_id", models.BigIntegerField()),
                ("partner_id", models.BigIntegerField(null=True)),
                (
                    "actor",
                    models.CharField(
                        blank=True, help_text="staff:<username>, if staff took it back.", max_length=100
                    ),
                ),
                ("reference", models.CharField(max_length=64)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("recorded_at", models.DateTimeField()),
                ("content", models.BinaryField(max_length=32)),
                ("points", models.BigIntegerField()),
                ("taken_from", models.JSONField()),
                ("freed", models.BooleanField(help_text="Whether the event had counted against limits.")),
                ("entry_seq", models.PositiveBigIntegerField(null=True)),
                ("salt", models.BinaryField(max_length=16)),
                ("balance", models.JSONField()),
                ("metadata", models.JSONField(default=dict)),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="loyalty.event",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.programme",
                    ),
                ),
            ],
            options={
                "ordering": ("-recorded_at",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("programme", "reference"), name="event_reversal_reference_unique"
                    ),
                    models.UniqueConstraint(fields=("event",), name="event_reversed_once"),
                    models.CheckConstraint(
                        condition=models.Q(("points__lte", 0)), name="event_reversal_never_gives"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="eventtype",
            constraint=models.UniqueConstraint(fields=("programme", "code"), name="event_type_code_unique"),
        ),
        migrations.AddConstraint(
            model_name="eventtype",
            constraint=models.UniqueConstraint(fields=("programme", "id"), name="event_type_tenant_unique"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("status__in", ("posted", "in_review"))),
                fields=["account_id", "type", "day"],
                name="event_counted",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("device__isnull", False), ("status__in", ("posted", "in_review"))),
                fields=["type", "device", "day"],
                name="event_device_counted",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("status", "in_review")),
                fields=["programme", "recorded_at"],
                name="event_review_queue",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(
                fields=("programme", "reference"), name="event_reference_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.UniqueConstraint(fields=("programme", "id"), name="event_tenant_unique"),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("points__gte", 0), ("qualifying__gte", 0), ("wanted__gte", 0)),
                name="event_points_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(("points", 0), ("status__in", ("posted", "reversed")), _connector="OR"),
                name="event_points_only_posted",
            ),
        ),
        sql_beside(__file__),
    ]
