"""One class per boundary; every message says what was got, what was expected, where, and how to mend it.

EgcaError
 ├─ ConfigError           a setting
 ├─ TaskError             a task file or a task in it
 ├─ SampleError           a samples file or a sample in it
 ├─ TokenizerError        token ids that do not spell the text
 ├─ SandboxError          the sandbox itself, never the program in it
 │   ├─ IsolationError    the host offers less than was required
 │   └─ WireError         bytes that are not a value
 ├─ FrameworkError        verl, TRL or OpenRLHF: version, registration, setting
 └─ AssetError            a model, data set or package that could not be had
"""

from __future__ import annotations


class EgcaError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(EgcaError):
    """A setting is unknown, of the wrong type, out of range, or would make EGCA do nothing."""


class TaskError(EgcaError):
    """A task cannot be used; names the file, line and field."""


class SampleError(EgcaError):
    """A sample cannot be read; names the file, line and field."""


class TokenizerError(EgcaError):
    """The sampled ids cannot be mapped to the text's bytes."""


class SandboxError(EgcaError):
    """The infrastructure failed: retried, then reported, never scored as a wrong answer."""


class IsolationError(SandboxError):
    """This host cannot give the isolation level that the user requires."""


class WireError(SandboxError):
    """Malformed, oversized or over-deep bytes from the other side of the wire."""


class FrameworkError(EgcaError):
    """A training framework is missing, of an unsupported version, or set up so that EGCA cannot work."""


class AssetError(EgcaError):
    """A model, data set or package could not be fetched, or is not what it should be."""
