"""Requests with their answers, as the OpenAPI document shows them; a test asks each of them.

They are answers of the plant of ``plants/pavlodar.toml`` at 10:00 UTC with steady readings. Long
lists are cut.
"""

from typing import Final

from api.examples.history import HISTORY
from api.examples.kpis import KPIS
from api.examples.plant import PLANT

EXAMPLES: Final = (*PLANT, *HISTORY, *KPIS)
