from pathlib import Path

from django.db import migrations

FOLDER = Path(__file__).parent
BEFORE = (FOLDER / "0002_apply.sql").read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0003_guards")]
    operations = [migrations.RunSQL((FOLDER / "0004_apply.sql").read_text(), BEFORE)]
