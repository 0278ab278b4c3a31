"""Which programs a failing sample is compared with: canonical, given by the user, or written by the policy itself.

store.py   where passing programs are kept: one small file a task, shared by processes, there after a resume
bank.py    which of them are kept: checked twice, few, far apart
given.py   further programs of the user, checked before they are used
pool.py    the nearest references of a sample
voting.py  a stand-in for tasks without a reference
"""

from egca_plugin.references.bank import Admission, Bank
from egca_plugin.references.given import Given
from egca_plugin.references.pool import Reference, References, nearest
from egca_plugin.references.store import DirectoryStore, MemoryStore, Store
from egca_plugin.references.voting import vote

__all__ = [
    "Admission",
    "Bank",
    "DirectoryStore",
    "Given",
    "MemoryStore",
    "Reference",
    "References",
    "Store",
    "nearest",
    "vote",
]
