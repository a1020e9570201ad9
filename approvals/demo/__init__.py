"""Demonstration data: fictitious people on trips to real events, brought about by the verbs in simulated time.

`load` fills an empty installation, `accounts` names the accounts to sign in with. Every company, person, instrument
and list in it is made up; the events are real (`events.csv`).
"""

from approvals.demo.loading import DemoRefused, load
from approvals.demo.printed import PASSWORD, Account, accounts, is_loaded

__all__ = ["PASSWORD", "Account", "DemoRefused", "accounts", "is_loaded", "load"]
