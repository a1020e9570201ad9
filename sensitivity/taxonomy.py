"""The subjects that an applicant picks from: arXiv's subject classes of computer science and stat.ML.

Source: arXiv category taxonomy (codes and English names are facts of that taxonomy). The choices are shown by name; the
code is what lists and assessments compare.
"""

from django.utils.translation import gettext_lazy as _

SUBJECTS = [
    ("cs.AI", _("Artificial intelligence")),
    ("cs.AR", _("Hardware architecture")),
    ("cs.CC", _("Computational complexity")),
    ("cs.CE", _("Computational engineering, finance and science")),
    ("cs.CG", _("Computational geometry")),
    ("cs.CL", _("Computation and language (large language models, translation, speech)")),
    ("cs.CR", _("Cryptography and security")),
    ("cs.CV", _("Computer vision and pattern recognition")),
    ("cs.CY", _("Computers and society")),
    ("cs.DB", _("Databases")),
    ("cs.DC", _("Distributed, parallel and cluster computing")),
    ("cs.DL", _("Digital libraries")),
    ("cs.DM", _("Discrete mathematics")),
    ("cs.DS", _("Data structures and algorithms")),
    ("cs.ET", _("Emerging technologies")),
    ("cs.FL", _("Formal languages and automata theory")),
    ("cs.GR", _("Graphics")),
    ("cs.GT", _("Computer science and game theory")),
    ("cs.HC", _("Human-computer interaction")),
    ("cs.IR", _("Information retrieval")),
    ("cs.IT", _("Information theory")),
    ("cs.LG", _("Machine learning")),
    ("cs.LO", _("Logic in computer science")),
    ("cs.MA", _("Multiagent systems")),
    ("cs.MM", _("Multimedia")),
    ("cs.MS", _("Mathematical software")),
    ("cs.NE", _("Neural and evolutionary computing")),
    ("cs.NI", _("Networking and internet architecture")),
    ("cs.OS", _("Operating systems")),
    ("cs.PF", _("Performance")),
    ("cs.PL", _("Programming languages")),
    ("cs.RO", _("Robotics")),
    ("cs.SC", _("Symbolic computation")),
    ("cs.SD", _("Sound")),
    ("cs.SE", _("Software engineering")),
    ("cs.SI", _("Social and information networks")),
    ("cs.SY", _("Systems and control")),
    ("stat.ML", _("Statistical machine learning")),
]
