"""Versions of instruments and reason codes: who drafted each, who brought it into force, who ended it."""

import authorities.models
import django.contrib.postgres.constraints
import django.core.validators
import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("authorities", "0004_absences"),
        # It makes instruments as they were before they had versions.
        ("sensitivity", "0003_lists_carried_over"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='GroundHistory',
            fields=[
                ('chain_length', models.PositiveIntegerField(default=0, editable=False, verbose_name='length of the audit chain')),
                ('chain_head', models.BinaryField(default=bytes, max_length=32, verbose_name='head of the audit chain')),
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
            ],
            options={
                'verbose_name': 'history of a ground',
                'verbose_name_plural': 'histories of grounds',
            },
        ),
        migrations.AlterModelOptions(
            name='legalinstrument',
            options={'ordering': ['title_zh', 'article', 'version'], 'verbose_name': 'legal instrument', 'verbose_name_plural': 'legal instruments'},
        ),
        migrations.AlterModelOptions(
            name='reasoncode',
            options={'ordering': ['code', 'version'], 'verbose_name': 'reason code', 'verbose_name_plural': 'reason codes'},
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='activated_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='brought into force'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='activated_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='brought into force by'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='drafted_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='drafted'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='drafted_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='drafted by'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='end_drafted_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='end proposed by'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='end_on',
            field=models.DateField(editable=False, null=True, verbose_name='proposed last day'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='ended_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='ended'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='ended_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='ended by'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='version',
            field=models.PositiveSmallIntegerField(default=1, editable=False, verbose_name='version'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='activated_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='brought into force'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='activated_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='brought into force by'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='drafted_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='drafted'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='drafted_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='drafted by'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='end_drafted_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='end proposed by'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='end_on',
            field=models.DateField(editable=False, null=True, verbose_name='proposed last day'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='ended_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='ended'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='ended_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='ended by'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='version',
            field=models.PositiveSmallIntegerField(default=1, editable=False, verbose_name='version'),
        ),
        migrations.AlterField(
            model_name='reasoncode',
            name='code',
            field=models.CharField(help_text='The code of an earlier version makes this the next version of it.', max_length=20, validators=[django.core.validators.RegexValidator('^[A-Z0-9]+([.-][A-Z0-9]+)*\\Z', 'Capital letters, digits, . and -')], verbose_name='code'),
        ),
        migrations.AlterField(
            model_name='reasoncode',
            name='office',
            field=models.ForeignKey(blank=True, help_text='Only this office may use it. Empty: every office that the instrument makes competent.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reason_codes', to='authorities.office', verbose_name='competent office'),
        ),
        migrations.AddField(
            model_name='legalinstrument',
            name='history',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)s_versions', to='authorities.groundhistory'),
        ),
        migrations.AddField(
            model_name='reasoncode',
            name='history',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='%(class)s_versions', to='authorities.groundhistory'),
        ),
        migrations.AddConstraint(
            model_name='legalinstrument',
            constraint=models.UniqueConstraint(fields=('history', 'version'), name='authorities_legalinstrument_version'),
        ),
        migrations.AddConstraint(
            model_name='legalinstrument',
            constraint=models.CheckConstraint(condition=models.Q(('activated_by', None), models.Q(('drafted_by__isnull', False), models.Q(('activated_by', models.F('drafted_by')), _negated=True)), _connector='OR'), name='authorities_legalinstrument_activated_by_another'),
        ),
        migrations.AddConstraint(
            model_name='legalinstrument',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('activated_at__isnull', False)), expressions=[(models.F('history'), '='), (authorities.models._Days(models.F('effective_from'), models.F('effective_until'), models.Value('[]')), '&&')], name='authorities_instrument_one_in_force', violation_error_message='Another version is in force on some of these days.'),
        ),
        migrations.AddConstraint(
            model_name='legalinstrument',
            constraint=models.CheckConstraint(condition=models.Q(('activated_at', None), ('published_on__isnull', False), _connector='OR'), name='authorities_instrument_in_force_is_published', violation_error_message='An instrument that is not published cannot be brought into force.'),
        ),
        migrations.AddConstraint(
            model_name='reasoncode',
            constraint=models.UniqueConstraint(fields=('history', 'version'), name='authorities_reasoncode_version'),
        ),
        migrations.AddConstraint(
            model_name='reasoncode',
            constraint=models.CheckConstraint(condition=models.Q(('activated_by', None), models.Q(('drafted_by__isnull', False), models.Q(('activated_by', models.F('drafted_by')), _negated=True)), _connector='OR'), name='authorities_reasoncode_activated_by_another'),
        ),
        migrations.AddConstraint(
            model_name='reasoncode',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('activated_at__isnull', False)), expressions=[(models.F('history'), '='), (authorities.models._Days(models.F('active_from'), models.F('active_until'), models.Value('[]')), '&&')], name='authorities_reason_one_in_force', violation_error_message='Another version is in force on some of these days.'),
        ),
        migrations.AddConstraint(
            model_name='reasoncode',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.F('code'), '='), (models.F('history'), '<>')], name='authorities_reason_code_has_one_history'),
        ),
        migrations.AddConstraint(
            model_name='reasoncode',
            constraint=models.CheckConstraint(condition=models.Q(('points_at__in', ['destination', 'host', 'event', 'topic', 'material', 'dates'])), name='authorities_reason_points_at_the_trip', violation_error_message='A ground points at something of this trip.'),
        ),
    ]
