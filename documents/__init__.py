"""Papers and what proves them: setting letters, signing them, keys and the tokens that anyone can verify.

Knows nothing of requests: who writes a letter, and to whom it is shown, is decided above.
"""
