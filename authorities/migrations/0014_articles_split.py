"""“第九条 Article 9” becomes its two halves; what was written in one language only is kept in both.

What is in force stays as it is by a trigger, which rests meanwhile: no word is changed, only which column it is in.
"""

from django.db import migrations

SPLIT = r"""
    ALTER TABLE authorities_legalinstrument DISABLE TRIGGER enacted_stays;
    UPDATE authorities_legalinstrument SET
        article_en = coalesce(substring(article_zh FROM '^第\S+\s+([A-Za-z].*)$'), article_zh),
        article_zh = coalesce(substring(article_zh FROM '^(第\S+)\s+[A-Za-z].*$'), article_zh);
    ALTER TABLE authorities_legalinstrument ENABLE ALWAYS TRIGGER enacted_stays;
"""
JOIN = r"""
    ALTER TABLE authorities_legalinstrument DISABLE TRIGGER enacted_stays;
    UPDATE authorities_legalinstrument SET article_zh = left(article_zh || ' ' || article_en, 60)
        WHERE article_zh <> article_en;
    ALTER TABLE authorities_legalinstrument ENABLE ALWAYS TRIGGER enacted_stays;
"""


class Migration(migrations.Migration):
    dependencies = [("authorities", "0013_articles_in_both_languages")]

    operations = [migrations.RunSQL(SPLIT, JOIN)]
