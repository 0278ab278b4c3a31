"""Programs whose verdict is known: right ones however they read and print, wrong ones however near they come.

Where the attack corpus asks whether a scorer can be fooled, this one asks whether it is right. A plain interpreter
decides (``tests/conformance/test_verdicts.py`` runs every program in one). ``right.txt`` and ``wrong.txt`` hold the
programs, ``tasks`` what they answer.
"""

from __future__ import annotations

from egca_plugin.conformance.verdicts.corpus import Program, programs

__all__ = ["Program", "programs"]
