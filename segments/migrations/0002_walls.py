from django.db import migrations

from config.kernel.migrations import sql_beside


class Migration(migrations.Migration):
    dependencies = [("segments", "0001_initial"), ("members", "0002_walls")]
    operations = [sql_beside(__file__)]
