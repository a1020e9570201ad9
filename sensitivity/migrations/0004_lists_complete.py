import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("authorities", "0001_initial"),
        ("sensitivity", "0003_lists_carried_over"),
    ]

    operations = [
        migrations.AlterField(
            model_name='listentry',
            name='lineage',
            field=models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, verbose_name='lineage'),
        ),
        migrations.AlterField(
            model_name='sensitivitylist',
            name='legal_basis',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authorities.legalinstrument', verbose_name='legal basis'),
        ),
        migrations.RemoveField('sensitivitylist', 'legal_basis_text'),
        migrations.AddConstraint(
            model_name='listentry',
            constraint=models.UniqueConstraint(fields=('version', 'lineage'), name='sensitivity_entry_lineage'),
        ),
        migrations.AddConstraint(
            model_name='listversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['draft', 'in_review'])), fields=('list',), name='sensitivity_version_one_draft'),
        ),
        migrations.AddConstraint(
            model_name='listversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['published', 'superseded']), _negated=True), models.Q(('published_from__isnull', False), ('published_until__isnull', False), ('publisher__isnull', False)), _connector='OR'), name='sensitivity_version_published_by_somebody', violation_error_message='A published version has a publisher, a first and a last day.'),
        ),
        migrations.AlterField(
            model_name='sensitivitylist',
            name='history',
            field=models.OneToOneField(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='list', to='sensitivity.listhistory'),
        ),
    ]
