from django.db import migrations

from config.kernel.migrations import sql_beside


class Migration(migrations.Migration):
    dependencies = [("members", "0008_erasure"), ("rewards", "0006_pool_stock")]

    operations = [sql_beside(__file__)]
