"""Which programs a failing sample is compared with: canonical, given by the user, or written by the policy itself.

peers.py     all that the samples of one group are compared with
siblings.py  passing programs of the sample's own group
store.py     where passing programs are kept: one small file a task, shared by processes, there after a resume
bank.py      which of them are kept: checked twice, few, far apart
given.py     further programs of the user, checked before they are used
pool.py      the nearest references of a sample
voting.py    a stand-in where nothing passes
"""

from egca_plugin.references.bank import Admission, Bank
from egca_plugin.references.given import Given
from egca_plugin.references.peers import Peers
from egca_plugin.references.pool import Reference, References, nearest
from egca_plugin.references.siblings import siblings
from egca_plugin.references.store import DirectoryStore, MemoryStore, Store
from egca_plugin.references.voting import Voted, vote

__all__ = [
    "Admission",
    "Bank",
    "DirectoryStore",
    "Given",
    "MemoryStore",
    "Peers",
    "Reference",
    "References",
    "Store",
    "Voted",
    "nearest",
    "siblings",
    "vote",
]
