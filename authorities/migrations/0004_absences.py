"""Who of an office is away, from when to when, and who stands in."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import authorities.models


class Migration(migrations.Migration):

    dependencies = [
        ('authorities', '0003_two_pairs_of_eyes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='office',
            name='return_after_days',
            field=models.PositiveSmallIntegerField(default=5, help_text="Cases of a reviewer who is away for more than so many days go back to the office's queue as soon as the absence begins.", verbose_name='cases go back after'),
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='from')),
                ('role', models.CharField(blank=True, choices=[('reviewer', 'Reviewer'), ('senior', 'Senior reviewer'), ('head', 'Head of office'), ('appeal_reviewer', 'Appeal reviewer')], help_text='Empty: in every role that they hold in the office.', max_length=20, verbose_name='role')),
                ('ends_at', models.DateTimeField(verbose_name='until')),
                ('entered_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='entered')),
                ('deputy', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='deputy')),
                ('entered_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('office', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='absences', to='authorities.office', verbose_name='office')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='absences', to=settings.AUTH_USER_MODEL, verbose_name='who is away')),
            ],
            options={
                'verbose_name': 'absence',
                'verbose_name_plural': 'absences',
                'ordering': ['starts_at', 'id'],
                'abstract': False,
                'indexes': [models.Index(fields=['office', 'ends_at'], name='authorities_absence_by_office')],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at', None), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='authorities_absence_ends_after_start', violation_error_message='The end must be after the start.'), models.CheckConstraint(condition=models.Q(('deputy', None), models.Q(('deputy', models.F('user')), _negated=True), _connector='OR'), name='authorities_absence_deputy_is_another', violation_error_message='Somebody else has to stand in.'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.F('office'), '='), (models.F('user'), '='), (models.F('role'), '='), (authorities.models._TsTzRange('starts_at', 'ends_at'), '&&')], name='authorities_absence_once_at_a_time', violation_error_message='This person is entered as away at that time already.')],
            },
        ),
    ]
