from django.db import migrations

from config.kernel.migrations import sql_beside


class Migration(migrations.Migration):
    dependencies = [("rewards", "0002_guards")]
    operations = [sql_beside(__file__)]
