from django.db import migrations

from config.kernel.migrations import sql_beside


class Migration(migrations.Migration):
    dependencies = [
        ("rewards", "0001_initial"),
        ("loyalty", "0003_guards"),
        ("members", "0002_walls"),
        ("segments", "0002_walls"),
    ]
    operations = [sql_beside(__file__)]
