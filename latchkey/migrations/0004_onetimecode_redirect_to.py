"""Where the page of an e-mailed link leads after success."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("latchkey", "0003_event_operator")]

    operations = [
        migrations.AddField(
            model_name="onetimecode",
            name="redirect_to",
            field=models.CharField(blank=True, editable=False, max_length=1000, null=True),
        ),
    ]
