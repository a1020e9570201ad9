"""An article is named in both languages, each reader sees one; until the next migration both say what was there."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authorities", "0012_office_history")]

    operations = [
        migrations.AlterModelOptions(
            name="legalinstrument",
            options={
                "ordering": ["title_zh", "article_zh", "version"],
                "verbose_name": "legal instrument",
                "verbose_name_plural": "legal instruments",
            },
        ),
        migrations.RenameField("legalinstrument", "article", "article_zh"),
        migrations.AlterField(
            "legalinstrument",
            "article_zh",
            models.CharField(
                help_text="The article that the ground is in, such as 第九条.",
                max_length=60,
                verbose_name="article in Chinese",
            ),
        ),
        migrations.AddField(
            "legalinstrument",
            "article_en",
            models.CharField(
                default="",
                help_text="The same, such as Article 9.",
                max_length=60,
                verbose_name="article in English",
            ),
            preserve_default=False,
        ),
    ]
