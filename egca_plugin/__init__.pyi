from egca_plugin.api import Judge as Judge
from egca_plugin.api import assess as assess
from egca_plugin.api import decode as decode
from egca_plugin.api import token_advantages as token_advantages
from egca_plugin.api import token_weights as token_weights
from egca_plugin.config import EgcaConfig as EgcaConfig
from egca_plugin.config import SandboxConfig as SandboxConfig
from egca_plugin.errors import EgcaError as EgcaError
from egca_plugin.tasks.files import load_tasks as load_tasks
from egca_plugin.types import Completion as Completion
from egca_plugin.types import Credit as Credit
from egca_plugin.types import Divergence as Divergence
from egca_plugin.types import Mode as Mode
from egca_plugin.types import Outcome as Outcome
from egca_plugin.types import Span as Span
from egca_plugin.types import Task as Task

__version__: str
