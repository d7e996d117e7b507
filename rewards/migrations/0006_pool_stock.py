from django.db import migrations, models
from django.db.models import F, Q

from config.kernel.migrations import sql_beside


class Migration(migrations.Migration):
    dependencies = [("rewards", "0005_catalogue_files")]
    operations = [
        sql_beside(__file__),
        migrations.AddIndex(
            model_name="poolcode",
            index=models.Index(
                F("pool"),
                F("valid_until").desc(nulls_first=True),
                condition=Q(redemption_id=None),
                name="pool_code_free_longest",
            ),
        ),
    ]
