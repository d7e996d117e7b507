from django.db import migrations

from config.kernel.migrations import sql_beside


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0002_apply")]
    operations = [sql_beside(__file__)]
