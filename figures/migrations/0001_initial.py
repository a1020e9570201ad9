from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='QuarterFigures',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('quarter', models.CharField(max_length=6, verbose_name='quarter')),
                ('version', models.PositiveSmallIntegerField(default=1, verbose_name='version')),
                ('published_at', models.DateTimeField(verbose_name='published')),
                ('reason_zh', models.TextField(blank=True, verbose_name='why it was corrected, in Chinese')),
                ('reason_en', models.TextField(blank=True, verbose_name='why it was corrected, in English')),
                ('data', models.JSONField(verbose_name='figures')),
            ],
            options={
                'verbose_name': 'figures of a quarter',
                'verbose_name_plural': 'figures of quarters',
                'ordering': ['-quarter', '-version'],
                'constraints': [models.UniqueConstraint(fields=('quarter', 'version'), name='figures_quarter_version'), models.CheckConstraint(condition=models.Q(('quarter__regex', '^[0-9]{4}Q[1-4]$')), name='figures_quarter_name'), models.CheckConstraint(condition=models.Q(models.Q(('version', 1), models.Q(models.Q(('reason_zh', ''), _negated=True), models.Q(('reason_en', ''), _negated=True)), _connector='OR'), ('version__gte', 1)), name='figures_correction_says_why')],
            },
        ),
    ]
