import sensitivity.models.imports
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sensitivity", "0007_names_written_anew")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="unknown",
            field=models.JSONField(default=list, verbose_name="columns that were left out"),
        ),
        migrations.AddField(
            model_name="import",
            name="why",
            field=models.JSONField(
                default=dict, help_text="A sentence in each language.", verbose_name="why it is not readable"
            ),
        ),
        migrations.AddField(
            model_name="importrow",
            name="names",
            field=models.JSONField(default=list, verbose_name="names by which it is found"),
        ),
        migrations.AlterField(
            model_name="import",
            name="file",
            field=models.FileField(
                storage=sensitivity.models.imports.import_storage,
                upload_to=sensitivity.models.imports.import_path,
                verbose_name="file",
            ),
        ),
        migrations.AlterField(
            model_name="importrow",
            name="line",
            field=models.PositiveIntegerField(
                help_text="Of an entry that is not in the file: after its end.", verbose_name="line"
            ),
        ),
    ]
