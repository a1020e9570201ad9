import datetime
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.manager
import openness.models
from audit.operations import AppendOnlyTable
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0002_append_only'),
        ('approvals', '0012_retention'),
        ('employees', '0001_initial'),
        ('jobs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='LeftFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('at', models.DateTimeField(verbose_name='at')),
            ],
            options={
                'verbose_name': 'file to be deleted',
                'verbose_name_plural': 'files to be deleted',
            },
        ),
        migrations.CreateModel(
            name='RetentionRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(unique=True, verbose_name='day')),
                ('at', models.DateTimeField(verbose_name='finished at')),
                ('policy', models.PositiveSmallIntegerField(verbose_name='policy version')),
                ('counts', models.JSONField(help_text='kind → deleted, told, held back and failed; files and bytes besides.', verbose_name='numbers')),
            ],
            options={
                'verbose_name': 'retention run',
                'verbose_name_plural': 'retention runs',
                'ordering': ['-day'],
            },
        ),
        migrations.CreateModel(
            name='DataDownload',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='asked at')),
                ('language', models.CharField(max_length=7, verbose_name='language')),
                ('file', models.FileField(blank=True, storage=openness.models.archive_storage, upload_to=openness.models.archive_path, verbose_name='file')),
                ('size', models.PositiveBigIntegerField(null=True, verbose_name='size in bytes')),
                ('sha256', models.CharField(blank=True, max_length=64, verbose_name='SHA-256')),
                ('ready_at', models.DateTimeField(null=True, verbose_name='ready at')),
                ('expires_at', models.DateTimeField(null=True, verbose_name='kept until')),
                ('deleted_at', models.DateTimeField(null=True, verbose_name='deleted at')),
                ('job', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='jobs.job')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': "download of one's data",
                'verbose_name_plural': "downloads of one's data",
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='DownloadPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(max_length=100, verbose_name='table')),
                ('rows', models.JSONField(verbose_name='rows')),
                ('download', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='openness.datadownload')),
            ],
            options={
                'verbose_name': 'part of a download',
                'verbose_name_plural': 'parts of downloads',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ErasedRequest',
            fields=[
                ('chain_length', models.PositiveIntegerField(default=0, editable=False, verbose_name='length of the audit chain')),
                ('chain_head', models.BinaryField(default=bytes, max_length=32, verbose_name='head of the audit chain')),
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('cleared', 'Requests that were cleared and closed'), ('refused', 'Requests that were denied or revoked'), ('given_up', 'Requests that were withdrawn, lapsed or declined by the company'), ('draft', 'Drafts that were never submitted'), ('message', 'Notifications'), ('job', 'Work that is finished'), ('employee', 'Records of people who left, without a request')], max_length=10, verbose_name='kind')),
                ('rows', models.PositiveIntegerField(verbose_name='rows')),
                ('erased_at', models.DateTimeField(verbose_name='deleted at')),
            ],
            options={
                'verbose_name': 'deleted file',
                'verbose_name_plural': 'deleted files',
                'indexes': [models.Index(fields=['erased_at'], name='openness_erased_at')],
            },
        ),
        migrations.CreateModel(
            name='RetentionPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveSmallIntegerField(unique=True, verbose_name='version')),
                ('note', models.CharField(blank=True, max_length=300, verbose_name='why')),
                ('drafted_at', models.DateTimeField(verbose_name='drafted at')),
                ('published_at', models.DateTimeField(null=True, verbose_name='published at')),
                ('effective_from', models.DateTimeField(null=True, verbose_name='in force from')),
                ('drafted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'retention policy',
                'verbose_name_plural': 'retention policies',
                'ordering': ['-version'],
            },
        ),
        migrations.CreateModel(
            name='RetentionTerm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('cleared', 'Requests that were cleared and closed'), ('refused', 'Requests that were denied or revoked'), ('given_up', 'Requests that were withdrawn, lapsed or declined by the company'), ('draft', 'Drafts that were never submitted'), ('message', 'Notifications'), ('job', 'Work that is finished'), ('employee', 'Records of people who left, without a request')], max_length=10, verbose_name='kind')),
                ('days', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(30), django.core.validators.MaxValueValidator(3650)], verbose_name='days')),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='terms', to='openness.retentionpolicy')),
            ],
            options={
                'verbose_name': 'retention period',
                'verbose_name_plural': 'retention periods',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('about', models.CharField(choices=[('employee', 'The record that your company keeps of you'), ('request', 'A request'), ('account', 'Your account')], max_length=10, verbose_name='about')),
                ('what', models.CharField(max_length=200, verbose_name='what is wrong')),
                ('should_be', models.TextField(max_length=2000, verbose_name='what it should say')),
                ('why', models.TextField(max_length=2000, verbose_name='why')),
                ('at', models.DateTimeField(verbose_name='asked at')),
                ('due_on', models.DateField(verbose_name='answer due by')),
                ('reminded_at', models.DateTimeField(null=True, verbose_name='reminded at')),
                ('outcome', models.CharField(blank=True, choices=[('accepted', 'Accepted'), ('refused', 'Not accepted')], max_length=10, verbose_name='answer')),
                ('reasons', models.TextField(blank=True, max_length=2000, verbose_name='reasons')),
                ('answered_as', models.CharField(blank=True, choices=[('applicant', 'Applicant'), ('officer', 'Compliance officer'), ('reviewer', 'Reviewer'), ('senior', 'Senior reviewer'), ('head', 'Head of office'), ('appeal_reviewer', 'Appeal reviewer'), ('list_manager', 'List manager'), ('administrator', 'Administrator'), ('auditor', 'Auditor'), ('system', 'A clock of the system')], max_length=20, verbose_name='answered as')),
                ('answered_at', models.DateTimeField(null=True, verbose_name='answered at')),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('employee', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='employees.employee')),
                ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='approvals.travelrequest')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
            ],
            options={
                'verbose_name': 'correction request',
                'verbose_name_plural': 'correction requests',
                'ordering': ['-at'],
                'base_manager_name': 'unscoped',
                'indexes': [models.Index(condition=models.Q(('outcome', '')), fields=['due_on'], name='openness_correction_open')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('about', 'employee'), ('employee__isnull', False), ('request', None)), models.Q(('about', 'request'), ('employee', None), ('request__isnull', False)), models.Q(('about', 'account'), ('employee', None), ('request', None)), _connector='OR'), name='openness_correction_about_one'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at', None), ('answered_by', None), ('outcome', '')), models.Q(('answered_at__isnull', False), ('answered_by__isnull', False), ('outcome__in', ['accepted', 'refused']), models.Q(('reasons', ''), _negated=True), models.Q(('answered_by', models.F('user')), _negated=True)), _connector='OR'), name='openness_correction_answered_with_reasons')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='DeletionNotice',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='told at')),
                ('erase_at', models.DateTimeField(verbose_name='to be deleted from')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='approvals.travelrequest')),
            ],
            options={
                'verbose_name': 'notice of a deletion',
                'verbose_name_plural': 'notices of deletions',
                'constraints': [models.UniqueConstraint(fields=('request',), name='openness_notice_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='retentionpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('version', 1), models.Q(('effective_from', None), ('published_at', None), ('published_by', None)), models.Q(('published_at__isnull', False), ('published_by__isnull', False), models.Q(('published_by', models.F('drafted_by')), _negated=True)), _connector='OR'), name='openness_policy_by_two_people'),
        ),
        migrations.AddConstraint(
            model_name='retentionpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('version', 1), ('published_at', None), ('effective_from__gte', django.db.models.expressions.CombinedExpression(models.F('published_at'), '+', models.Value(datetime.timedelta(days=14)))), _connector='OR'), name='openness_policy_not_at_once'),
        ),
        migrations.AddConstraint(
            model_name='retentionpolicy',
            constraint=models.UniqueConstraint(models.F('published_at'), condition=models.Q(('published_at', None)), name='openness_policy_one_draft', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='retentionterm',
            constraint=models.UniqueConstraint(fields=('policy', 'kind'), name='openness_term_once'),
        ),
        migrations.AddConstraint(
            model_name='retentionterm',
            constraint=models.CheckConstraint(condition=models.Q(('days__range', (30, 3650))), name='openness_term_in_bounds'),
        ),
        AppendOnlyTable("openness_deletionnotice"),
        AppendOnlyTable("openness_erasedrequest"),
        AppendOnlyTable("openness_retentionrun"),
    ]
