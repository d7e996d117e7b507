from django.db import migrations

from config.kernel.migrations import sql_beside


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0003_guards")]
    operations = [sql_beside(__file__)]
